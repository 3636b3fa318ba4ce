using System.Collections.Concurrent;
using System.Net;
using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>Idle time that slides in the background: often enough that nobody is timed out under their hands, and never more than once per stated fraction of it.</summary>
public sealed class TouchTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Visitor _visitor = new();
    private readonly ConcurrentQueue<TaskCompletionSource> _held = new();
    private TouchedStore? _store;

    [Fact]
    public async Task A_session_that_is_only_read_lives_on_for_hours_by_one_touch_per_quarter_of_its_idle_time()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x");
        for (var minute = 1; minute <= 180; minute++)
        {
            app.Time.Advance(Minute);
            using var read = await _visitor.GetAsync(app.Address, "/has/x");
            Assert.Equal(HttpStatusCode.OK, read.StatusCode);
            if (minute % 5 == 0)
            {
                await _store!.NextAsync();
            }
        }

        Assert.Equal(180 / 5, _store!.Touches.Count);
    }

    [Theory]
    [InlineData(0.25, 5)]
    [InlineData(0.9, 18)]
    public async Task A_visitor_who_reads_at_the_last_moment_each_time_is_never_timed_out(double touchAfter, int dueMinutes)
    {
        await using var app = await StartAsync(o => o.Sessions.TouchAfter = touchAfter);
        await _visitor.PostAsync(app.Address, "/set/x");
        for (var i = 0; i < 5; i++)
        {
            // Just before a touch is due, and then just before the session would end.
            app.Time.Advance((dueMinutes * Minute) - NearSample.Tick);
            Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync(app.Address, "/has/x")).StatusCode);
            app.Time.Advance((20 - dueMinutes) * Minute);
            Assert.Equal(HttpStatusCode.OK, (await _visitor.GetAsync(app.Address, "/has/x")).StatusCode);
            await _store!.NextAsync();
        }

        Assert.Equal(5, _store!.Touches.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Requests_that_began_before_a_touch_and_end_after_it_do_not_touch_again(bool remembers)
    {
        // Each of them had read that a touch was due, and asked for one when it ended.
        await using var app = await StartAsync(o => o.Sessions.NearCache.Enabled = remembers);
        var other = new Visitor();
        await _visitor.PostAsync(app.Address, "/set/x");
        await other.PostAsync(app.Address, "/set/x");
        app.Time.Advance(5 * Minute);
        var requests = await HoldAsync(app, 5);

        await LetEndAsync(requests);
        var touched = await _store!.NextAsync();
        app.Time.Advance(Minute);
        while (requests.Count > 0)
        {
            await LetEndAsync(requests);
        }

        await other.GetAsync(app.Address, "/has/x");
        Assert.NotEqual(touched, await _store.NextAsync());
        Assert.Equal(2, _store.Touches.Count);
    }

    [Fact]
    public async Task A_touch_that_failed_is_asked_for_again_by_the_next_request()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x");
        app.Time.Advance(5 * Minute);
        _store!.Fails = true;
        await _visitor.GetAsync(app.Address, "/has/x");
        await _store.NextAsync();
        _store.Fails = false;

        // The first one may come before the failure has been noted.
        for (var tries = 0; tries < 100 && _store.Touches.IsEmpty; tries++)
        {
            await _visitor.GetAsync(app.Address, "/has/x");
            await Task.Yield();
        }

        await _store.NextAsync();
        Assert.Single(_store.Touches);
    }

    [Fact]
    public async Task A_touch_that_finds_no_session_makes_the_next_request_ask_the_store()
    {
        await using var app = await StartAsync();
        await _visitor.PostAsync(app.Address, "/set/x");
        app.Time.Advance(5 * Minute);
        await _visitor.GetAsync(app.Address, "/has/x");
        var key = await _store!.NextAsync();
        app.Time.Advance(5 * Minute);
        var requests = await HoldAsync(app, 1);
        await _store.EndUnheardAsync(key);

        await LetEndAsync(requests);
        await _store.NextAsync();

        // The reader of the queue is one: when it has come to another session it is done with this one.
        var other = new Visitor();
        await other.PostAsync(app.Address, "/set/x");
        app.Time.Advance(5 * Minute);
        await other.GetAsync(app.Address, "/has/x");
        await _store.NextAsync();
        Assert.True(app.Services.GetRequiredService<NearCache>().TryFind(key, out _, out var doubted) && doubted.IsInDoubt);
    }

    private async Task<Queue<Task<HttpResponseMessage>>> HoldAsync(PipelineApp app, int count)
    {
        var requests = new Queue<Task<HttpResponseMessage>>();
        for (var i = 0; i < count; i++)
        {
            requests.Enqueue(_visitor.GetAsync(app.Address, "/hold"));
            Assert.True(SpinWait.SpinUntil(() => _held.Count == i + 1, Patience));
        }

        await Task.Yield();
        return requests;
    }

    /// <summary>A request without a body has its answer when the whole pipeline has run.</summary>
    private async Task LetEndAsync(Queue<Task<HttpResponseMessage>> requests)
    {
        Assert.True(_held.TryDequeue(out var oldest));
        oldest.SetResult();
        (await requests.Dequeue()).EnsureSuccessStatusCode();
    }

    private async Task<PipelineApp> StartAsync(Action<AffinityOptions>? configure = null) => await PipelineApp.StartAsync(
        routes =>
        {
            routes.MapPost("/set/{key}", (HttpContext context, string key) => context.Session.Set(key, [1]));
            routes.MapGet("/has/{key}", (HttpContext context, string key) => { context.Response.StatusCode = context.Session.TryGetValue(key, out _) ? 200 : 404; });
            routes.MapGet("/hold", (HttpContext _) =>
            {
                var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _held.Enqueue(held);
                return held.Task;
            });
        },
        configure,
        builder => builder.Services.AddSingleton<ISessionStore>(provider => _store = new TouchedStore(new MemorySessionStore(provider.GetRequiredService<TimeProvider>()))));

    /// <summary>Tells the test of every touch that it was given, in order, and lists those that worked.</summary>
    private sealed class TouchedStore(MemorySessionStore inner) : ISessionStore
    {
        private readonly System.Threading.Channels.Channel<SessionKey> _given = System.Threading.Channels.Channel.CreateUnbounded<SessionKey>();

        public bool Fails { get; set; }

        public ConcurrentQueue<SessionKey> Touches { get; } = new();

        public async Task<SessionKey> NextAsync()
        {
            using var patience = new CancellationTokenSource(Patience);
            return await _given.Reader.ReadAsync(patience.Token);
        }

        public async Task EndUnheardAsync(SessionKey key) => await inner.DeleteAsync(key, TimeSpan.FromHours(1), default);

        public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
        {
            try
            {
                if (Fails)
                {
                    throw FaultyStore.Ambiguous();
                }

                var touched = await inner.TouchAsync(key, idle, cancellationToken);
                Touches.Enqueue(key);
                return touched;
            }
            finally
            {
                _given.Writer.TryWrite(key);
            }
        }

        public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => inner.ReadAsync(key, known, cancellationToken);

        public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken) => inner.WriteAsync(key, write, cancellationToken);

        public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => inner.DeleteAsync(key, remember, cancellationToken);
    }
}
