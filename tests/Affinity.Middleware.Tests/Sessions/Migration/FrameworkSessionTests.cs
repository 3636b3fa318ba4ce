using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Sessions.Migration;

/// <summary>One old instance with the framework's session and one or two new ones with Affinity's, over one cache and one key ring.</summary>
public sealed class FrameworkSessionTests : IAsyncLifetime
{
    private const string Theirs = ".AspNetCore.Session";
    private const string Ours = "__Host-affinity";

    private static readonly string Secret = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    private readonly PipelineApp.SharedBackend _backend = new();
    private readonly EphemeralDataProtectionProvider _keys = new();
    private readonly CountedCache _cache = new();
    private readonly Visitor _visitor = new();
    private WebApplication? _old;
    private PipelineApp? _new;

    private Uri Old => new(_old!.Urls.Single());

    private Uri New => _new!.Address;

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IDistributedCache>(_cache).AddSession().AddSingleton<IDataProtectionProvider>(_keys);
        _old = builder.Build();
        _old.UseSession();
        Map(_old);
        await _old.StartAsync();
        _new = await StartNewAsync();
        (await _visitor.PostAsync(Old, "/set/a/1")).EnsureSuccessStatusCode();
        (await _visitor.PostAsync(Old, "/set/b/2")).EnsureSuccessStatusCode();
        _cache.Gets.Clear();
    }

    public async Task DisposeAsync()
    {
        await _new!.DisposeAsync();
        await _old!.StopAsync();
        await _old.DisposeAsync();
    }

    [Fact]
    public async Task A_visitor_who_comes_from_an_old_instance_has_everything_and_from_then_on_a_ticket()
    {
        Assert.Equal("Framework a,b", await _visitor.GetStringAsync(New, "/origin"));
        Assert.NotNull(_visitor.Cookies[Ours]);
        var asked = _cache.Gets.Count;

        Assert.Equal("Store a,b", await _visitor.GetStringAsync(New, "/origin"));
        Assert.Equal("1", await _visitor.GetStringAsync(New, "/get/a"));
        Assert.Equal((1, asked), (asked, _cache.Gets.Count));
        Assert.Equal(1, _new!.Store.Writes);
    }

    [Fact]
    public async Task What_the_first_request_changes_is_saved_with_what_was_there()
    {
        (await _visitor.PostAsync(New, "/set/b/3")).EnsureSuccessStatusCode();

        Assert.Equal(("1", "3"), (await _visitor.GetStringAsync(New, "/get/a"), await _visitor.GetStringAsync(New, "/get/b")));
    }

    /// <summary>Both read the framework's session before either has saved.</summary>
    [Fact]
    public async Task Two_nodes_that_take_it_over_at_the_same_moment_come_to_one_session_with_the_changes_of_both()
    {
        await using var second = await StartNewAsync();
        var both = new Barrier(_cache, 2);
        var (one, other) = (_visitor.Clone(), _visitor.Clone());

        var writing = Task.WhenAll(one.PostAsync(New, "/set/one/1"), other.PostAsync(second.Address, "/set/b/4"));
        await both.ReleaseWhenAllAreThereAsync();
        Assert.All(await writing, response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));

        foreach (var visitor in (Visitor[])[one, other])
        {
            Assert.Equal("Store a,b,one", (await visitor.GetStringAsync(second.Address, "/origin")).Replace("NearCache", "Store", StringComparison.Ordinal));
            Assert.Equal("4", await visitor.GetStringAsync(second.Address, "/get/b"));
        }
    }

    [Fact]
    public async Task A_visitor_whose_browser_has_kept_only_the_frameworks_cookie_comes_to_the_session_that_was_made_of_it()
    {
        var tab = _visitor.Clone();
        (await _visitor.PostAsync(New, "/set/a/9")).EnsureSuccessStatusCode();

        Assert.Equal("9", await tab.GetStringAsync(New, "/get/a"));
        Assert.NotNull(tab.Cookies[Ours]);
    }

    [Fact]
    public async Task A_visitor_who_goes_back_to_an_old_instance_finds_what_they_had_there()
    {
        (await _visitor.PostAsync(New, "/set/a/9")).EnsureSuccessStatusCode();

        Assert.Equal("1", await _visitor.GetStringAsync(Old, "/get/a"));
        Assert.Equal("9", await _visitor.GetStringAsync(New, "/get/a"));
    }

    [Fact]
    public async Task Who_signs_out_is_signed_out_everywhere_and_no_copy_of_the_old_cookie_brings_the_session_back()
    {
        var copy = _visitor.Clone();
        await _visitor.GetStringAsync(New, "/get/a");

        (await _visitor.PostAsync(New, "/abandon")).EnsureSuccessStatusCode();

        Assert.Equal((null, null), (_visitor.Cookies[Ours], _visitor.Cookies[Theirs]));
        Assert.Equal("", await copy.GetStringAsync(Old, "/keys"));
        (await copy.PostAsync(Old, "/set/again/1")).EnsureSuccessStatusCode();
        Assert.Equal("None ", await copy.GetStringAsync(New, "/origin"));
        Assert.Null(copy.Cookies[Theirs]);
    }

    [Fact]
    public async Task Who_signs_out_with_the_first_request_is_signed_out_too()
    {
        var copy = _visitor.Clone();

        (await _visitor.PostAsync(New, "/abandon")).EnsureSuccessStatusCode();

        Assert.Equal("", await copy.GetStringAsync(Old, "/keys"));
        Assert.Equal("None ", await copy.GetStringAsync(New, "/origin"));
    }

    [Fact]
    public async Task After_a_sign_in_the_old_cookie_opens_nothing_any_more()
    {
        var copy = _visitor.Clone();
        (await _visitor.PostAsync(New, "/regenerate")).EnsureSuccessStatusCode();

        Assert.Equal("1", await _visitor.GetStringAsync(New, "/get/a"));
        Assert.Equal("None ", await copy.GetStringAsync(New, "/origin"));
        using var refused = await copy.PostAsync(New, "/set/a/evil");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Null(copy.Cookies[Ours]);
    }

    [Fact]
    public async Task While_the_store_is_away_nothing_is_lost_and_who_needs_no_session_is_served()
    {
        _new!.Store.Break();

        Assert.Equal("ok", await _visitor.GetStringAsync(New, "/untouched"));
        using var read = await _visitor.GetAsync(New, "/get/a");
        using var write = await _visitor.PostAsync(New, "/set/a/9");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable), (read.StatusCode, write.StatusCode));
        Assert.Null(_visitor.Cookies[Ours]);

        _new.Store.Heal();
        _new.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("Framework a,b", await _visitor.GetStringAsync(New, "/origin"));
    }

    [Fact]
    public async Task An_app_that_loads_on_demand_has_it_when_it_asks_and_keeps_it_when_it_only_writes()
    {
        await using var lazy = await StartNewAsync(options => options.Sessions.Load = Affinity.Sessions.SessionLoad.OnDemand);
        var copy = _visitor.Clone();
        Assert.Equal("ok", await _visitor.GetStringAsync(lazy.Address, "/untouched"));
        Assert.Equal((0, 0), (_cache.Gets.Count, lazy.Store.Reads));

        Assert.Equal("a,b", await _visitor.GetStringAsync(lazy.Address, "/loaded"));
        (await copy.PostAsync(lazy.Address, "/set/c/3")).EnsureSuccessStatusCode();

        Assert.Equal("a,b,c", await copy.GetStringAsync(lazy.Address, "/loaded"));
    }

    [Fact]
    public async Task What_a_handler_that_throws_has_met_is_taken_over_by_the_next_request()
    {
        using var failed = await _visitor.PostAsync(New, "/throw");
        Assert.Equal(HttpStatusCode.InternalServerError, failed.StatusCode);

        Assert.Equal("Framework a,b", await _visitor.GetStringAsync(New, "/origin"));
    }

    [Fact]
    public async Task A_store_that_cannot_be_written_fails_who_changes_something_and_nobody_else()
    {
        _new!.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();

        Assert.Equal("1", await _visitor.GetStringAsync(New, "/get/a"));
        using var write = await _visitor.PostAsync(New, "/set/a/9");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, write.StatusCode);
        Assert.Null(_visitor.Cookies[Ours]);

        _new.Store.Heal();
        _new.Time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("1", await _visitor.GetStringAsync(New, "/get/a"));
    }

    [Fact]
    public async Task A_cache_that_is_away_hides_the_session_and_loses_nothing()
    {
        _cache.Fault = new TimeoutException();
        using var read = await _visitor.GetAsync(New, "/get/a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, read.StatusCode);
        Assert.Equal("ok", await _visitor.GetStringAsync(New, "/untouched"));

        _cache.Fault = null;
        Assert.Equal("1", await _visitor.GetStringAsync(New, "/get/a"));
    }

    [Theory]
    [InlineData("x")]
    [InlineData("CfDJ8")]
    [InlineData("!!!!")]
    public async Task A_cookie_that_is_not_genuine_is_no_session_and_stays(string text)
    {
        using var counted = new Loads(_new!);
        _visitor.Cookies.Receive(New, $"{Theirs}={text}; path=/");

        Assert.Equal("None ", await _visitor.GetStringAsync(New, "/origin"));

        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal(["framework_unreadable"], counted.Outcomes);
    }

    [Fact]
    public async Task A_cookie_of_another_purpose_or_with_something_else_in_it_is_no_session()
    {
        foreach (var (purpose, text) in ((string, string)[])[("SessionMiddlewares", Guid.NewGuid().ToString()), ("SessionMiddleware", "../../../../../../etc/passwd........."), ("SessionMiddleware", "")])
        {
            var value = Convert.ToBase64String(_keys.CreateProtector(purpose).Protect(System.Text.Encoding.UTF8.GetBytes(text))).TrimEnd('=');
            _visitor.Cookies.Receive(New, $"{Theirs}={Uri.EscapeDataString(value)}; path=/");

            Assert.Equal("None ", await _visitor.GetStringAsync(New, "/origin"));
        }

        Assert.Empty(_cache.Gets);
    }

    [Fact]
    public async Task An_entry_that_is_damaged_is_no_session_and_counted()
    {
        using var counted = new Loads(_new!);
        await _visitor.GetStringAsync(Old, "/get/a");
        await _cache.SetAsync(Assert.Single(_cache.Gets.Distinct()), [2, 0, 0, 9], new DistributedCacheEntryOptions());

        Assert.Equal("None ", await _visitor.GetStringAsync(New, "/origin"));
        Assert.Equal(["absent", "framework_unreadable"], counted.Outcomes);
        (await _visitor.PostAsync(New, "/set/fresh/1")).EnsureSuccessStatusCode();
        Assert.Equal("fresh", (await _visitor.GetStringAsync(New, "/origin")).Split(' ')[1]);
    }

    [Fact]
    public async Task A_session_that_is_larger_than_allowed_is_not_taken_over_by_halves()
    {
        await using var small = await StartNewAsync(options => options.Sessions.MaxBytes = 1024);
        using var counted = new Loads(small);
        (await _visitor.PostAsync(Old, "/fill/big/2000")).EnsureSuccessStatusCode();

        Assert.Equal("None ", await _visitor.GetStringAsync(small.Address, "/origin"));
        Assert.Equal(["absent", "framework_too_large"], counted.Outcomes);
    }

    [Fact]
    public async Task Without_the_setting_the_frameworks_cookie_means_nothing()
    {
        await using var plain = await StartNewAsync(options => options.Sessions.ReadFrameworkSessions = false);

        Assert.Equal("None ", await _visitor.GetStringAsync(plain.Address, "/origin"));
        Assert.Empty(_cache.Gets);
    }

    [Fact]
    public async Task A_visitor_without_the_frameworks_cookie_costs_no_trip()
    {
        Assert.Equal("None ", await new Visitor().GetStringAsync(New, "/origin"));

        Assert.Equal((0, 0), (_cache.Gets.Count, _new!.Store.Reads));
    }

    [Fact]
    public async Task An_app_without_a_cache_does_not_start_and_is_told_what_to_register()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => PipelineApp.StartAsync(Map, options => options.Sessions.ReadFrameworkSessions = true));

        Assert.Contains("IDistributedCache", fault.Message, StringComparison.Ordinal);
    }

    private Task<PipelineApp> StartNewAsync(Action<AffinityOptions>? configure = null) => PipelineApp.StartAsync(
        Map,
        options =>
        {
            options.Sessions.ReadFrameworkSessions = true;
            options.Secrets.Add(Secret);
            configure?.Invoke(options);
        },
        builder => builder.Services.AddSingleton<IDistributedCache>(_cache).AddSingleton<IDataProtectionProvider>(_keys),
        _backend);

    private static void Map(WebApplication app)
    {
        app.MapGet("/untouched", () => "ok");
        app.MapGet("/get/{key}", (HttpContext context, string key) => context.Session.GetString(key) ?? "nothing");
        app.MapGet("/keys", (HttpContext context) => string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal)));
        app.MapGet("/origin", (HttpContext context) => $"{context.GetAffinity().Origin} {string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal))}");
        app.MapGet("/loaded", async (HttpContext context) =>
        {
            await context.Session.LoadAsync();
            return string.Join(',', context.Session.Keys.Order(StringComparer.Ordinal));
        });
        app.MapPost("/throw", IResult (HttpContext context) =>
        {
            context.Session.SetString("half", "done");
            throw new InvalidOperationException("On purpose.");
        });
        app.MapPost("/set/{key}/{value}", (HttpContext context, string key, string value) => context.Session.SetString(key, value));
        app.MapPost("/fill/{key}/{size:int}", (HttpContext context, string key, int size) => context.Session.Set(key, new byte[size]));
        app.MapPost("/abandon", (HttpContext context) => context.Session.AbandonAsync());
        app.MapPost("/regenerate", (HttpContext context) => context.Session.RegenerateAsync());
    }

    /// <summary>What the loads of one app are counted as.</summary>
    private sealed class Loads : IDisposable
    {
        private readonly MeterListener _listener = new();
        private readonly ConcurrentQueue<string> _outcomes = new();

        public Loads(PipelineApp app)
        {
            var factory = app.Services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, self) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, factory) && instrument.Name == "affinity.session.loads")
                {
                    self.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, _, tags, _) => _outcomes.Enqueue((string)tags[0].Value!));
            _listener.Start();
        }

        public IReadOnlyCollection<string> Outcomes => _outcomes;

        public void Dispose() => _listener.Dispose();
    }

    /// <summary>Holds the answers of a cache until as many have asked.</summary>
    private sealed class Barrier
    {
        private readonly TaskCompletionSource _there = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _missing;

        public Barrier(CountedCache cache, int parties)
        {
            _missing = parties;
            cache.BeforeGet = () =>
            {
                if (Interlocked.Decrement(ref _missing) == 0)
                {
                    _there.SetResult();
                }

                return _released.Task;
            };
        }

        public async Task ReleaseWhenAllAreThereAsync()
        {
            await _there.Task.WaitAsync(TimeSpan.FromSeconds(30));
            _released.SetResult();
        }
    }

    private sealed class CountedCache : IDistributedCache
    {
        private readonly MemoryDistributedCache _inner = new(Options.Create(new MemoryDistributedCacheOptions()));

        public ConcurrentQueue<string> Gets { get; } = new();

        public Exception? Fault { get; set; }

        public Func<Task> BeforeGet { get; set; } = () => Task.CompletedTask;

        public byte[]? Get(string key)
        {
            Gets.Enqueue(key);
            return _inner.Get(key);
        }

        public async Task<byte[]?> GetAsync(string key, CancellationToken token = default)
        {
            Gets.Enqueue(key);
            await BeforeGet();
            return Fault is null ? await _inner.GetAsync(key, token) : throw Fault;
        }

        public void Refresh(string key) => _inner.Refresh(key);

        public Task RefreshAsync(string key, CancellationToken token = default) => _inner.RefreshAsync(key, token);

        public void Remove(string key) => _inner.Remove(key);

        public Task RemoveAsync(string key, CancellationToken token = default) => _inner.RemoveAsync(key, token);

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => _inner.Set(key, value, options);

        public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default) => _inner.SetAsync(key, value, options, token);
    }
}
