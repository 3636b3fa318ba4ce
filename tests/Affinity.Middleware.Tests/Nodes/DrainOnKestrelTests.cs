using System.Net;
using Affinity.Nodes;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Nodes;

/// <summary>
/// The order of the host's events, with a real server, as a SIGTERM brings them about: ApplicationStopping, then every StoppingAsync while Kestrel still accepts,
/// then Kestrel stops, then every StoppedAsync.
/// </summary>
public sealed class DrainOnKestrelTests
{
    private readonly FakeDirectory _directory = new() { Answer = FakeDirectory.AcceptWithPeer };
    private readonly ManualTime _time = new();
    private readonly TaskCompletionSource _slowCame = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _slowMayEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _lateCame = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _lateMayEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_request_that_begins_after_the_signal_is_still_served_and_one_in_flight_finishes()
    {
        await using var app = Build();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(10) };
        using var slow = new HttpRequestMessage(HttpMethod.Get, "/slow");
        var slowAnswer = client.SendAsync(slow);
        await _slowCame.Task;
        await _directory.NextBeatAsync();
        await _directory.NextBeatAsync();

        var stopping = app.WaitForShutdownAsync();
        app.Lifetime.StopApplication();
        await _directory.NextBeatAsync();
        Assert.Equal(NodeState.Draining, _directory.Seen[^1].State);

        // The heartbeat's timer and the notice.
        await _time.WaitForArmedTimersAsync(2);
        using (var newcomer = new HttpClient { BaseAddress = client.BaseAddress })
        {
            Assert.Equal("quick", await newcomer.GetStringAsync("/quick"));
            using var ready = await newcomer.GetAsync("/affinity/health/ready");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
        }

        _time.Advance(new DrainOptions().Notice);
        Assert.False(stopping.IsCompleted);
        Assert.Empty(_directory.Left);
        _slowMayEnd.SetResult();
        using var served = await slowAnswer;
        Assert.Equal("slow", await served.Content.ReadAsStringAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Single(_directory.Left);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/quick"));
    }

    [Fact]
    public async Task A_request_that_comes_after_the_waits_holds_up_no_drain_and_the_server_itself_finishes_it()
    {
        await using var app = Build();
        await app.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()), Timeout = TimeSpan.FromSeconds(10) };
        var slow = client.GetStringAsync("/slow");
        await _slowCame.Task;
        var stopping = app.WaitForShutdownAsync();
        app.Lifetime.StopApplication();

        // The heartbeat's timer and the notice.
        await _time.WaitForArmedTimersAsync(2);
        _time.Advance(new DrainOptions().Notice);
        var requests = app.Services.GetRequiredService<NodeMembership>().Requests;
        Assert.True(SpinWait.SpinUntil(() => ComesLater(requests), TimeSpan.FromSeconds(10)));
        var late = client.GetStringAsync("/late");
        await _lateCame.Task;
        _slowMayEnd.SetResult();
        Assert.Equal("slow", await slow);

        // The server does not listen any more.
        await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            for (var began = DateTime.UtcNow; DateTime.UtcNow - began < TimeSpan.FromSeconds(10);)
            {
                using var newcomer = new HttpClient { BaseAddress = client.BaseAddress };
                await newcomer.GetStringAsync("/quick");
            }
        });
        Assert.False(late.IsCompleted);
        Assert.False(stopping.IsCompleted);
        _lateMayEnd.SetResult();
        Assert.Equal("late", await late);
        await stopping.WaitAsync(TimeSpan.FromSeconds(20));
    }

    /// <summary>Whether the wait for those in flight has begun: a request of now is none of them.</summary>
    private static bool ComesLater(RequestCount requests)
    {
        var isLater = requests.Enter();
        requests.Leave(isLater);
        return isLater;
    }

    /// <summary>With the host itself, as in the story: another service of the app takes its time in <c>StartAsync</c>, and the server listens only after it.</summary>
    [Fact]
    public async Task A_node_is_told_as_starting_while_a_service_of_the_app_holds_its_start_up()
    {
        _directory.Answer = FakeDirectory.Accept;
        var held = new HeldService();
        await using var app = Build(held);
        var starting = app.StartAsync();
        await held.Came.Task.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(NodeState.Starting, Assert.Single(_directory.Seen).State);
        Assert.False(starting.IsCompleted);

        held.MayEnd.SetResult();
        await starting;
        Assert.Equal([NodeState.Starting, NodeState.Active], _directory.Seen.Select(told => told.State));
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        Assert.Contains("\"active\"", await client.GetStringAsync("/affinity/health/live"), StringComparison.Ordinal);
        await app.StopAsync();
    }

    private sealed class HeldService : IHostedService
    {
        public TaskCompletionSource Came { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource MayEnd { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Came.SetResult();
            return MayEnd.Task;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private WebApplication Build(IHostedService? service = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services
            .AddSingleton(TestMetrics.Create())
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton<INodeDirectory>(_directory)
            .AddSingleton(new NodeOptions { Id = "node-a" })
            .AddSingleton(new DrainOptions())
            .AddSingleton(new AgentCheckOptions())
            .AddSingleton(new BoundVisitors(TimeSpan.FromMinutes(20), _time))
            .AddNodeStage();
        if (service is not null)
        {
            builder.Services.AddSingleton(service);
        }

        var app = builder.Build();
        app.UseMiddleware<NodeMiddleware>();
        app.Run(async context =>
        {
            if (context.Request.Path == "/slow")
            {
                _slowCame.SetResult();
                await _slowMayEnd.Task;
            }
            else if (context.Request.Path == "/late")
            {
                _lateCame.SetResult();
                await _lateMayEnd.Task;
            }

            await context.Response.WriteAsync(context.Request.Path.Value![1..]);
        });
        return app;
    }
}
