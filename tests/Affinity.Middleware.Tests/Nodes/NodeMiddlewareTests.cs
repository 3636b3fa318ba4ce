using System.Net;
using System.Text.Json;
using Affinity.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class NodeMiddlewareTests : IAsyncDisposable
{
    private readonly DrainOptions _drain = new();
    private NodeMembership _node = TestNode.Create();
    private readonly NodeOptions _options = new();
    private readonly List<IReadinessCheck> _checks = [];
    private RequestDelegate _app = context => context.Response.WriteAsync("app");
    private IHost? _host;

    [Theory]
    [InlineData("/affinity/health/live")]
    [InlineData("/affinity/health/live/")]
    public async Task Live_says_who_this_is_and_what_it_does(string path)
    {
        _node.Joined([_node.ToRecord(), FakeDirectory.Peer("node-z")]);
        _node.Requests.Enter();
        _node.Requests.Leave(_node.Requests.Enter());
        var (status, body) = await GetAsync(path);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"node":"node-a","state":"active","inFlight":1,"bound":0,"requests":1,"live":2}""", body);
    }

    [Fact]
    public async Task Live_answers_200_while_a_node_drains_as_it_still_serves()
    {
        _node.BeginDrain(stops: true);
        var (status, body) = await GetAsync("/affinity/health/live");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\"draining\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ready_is_yes_for_a_member()
    {
        _node.Joined([_node.ToRecord()]);
        var (status, body) = await GetAsync("/affinity/health/ready");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"node":"node-a","state":"active","ready":true,"reasons":[]}""", body);
    }

    [Fact]
    public async Task Ready_is_no_before_the_node_has_joined() =>
        await AssertNotReadyAsync("The node has not yet joined");

    [Fact]
    public async Task Ready_is_no_when_the_directory_was_away_from_the_start()
    {
        _node.DirectoryAway(DateTimeOffset.UnixEpoch);
        await AssertNotReadyAsync("has not answered since 1970-01-01");
    }

    [Fact]
    public async Task Ready_is_no_when_the_name_is_taken()
    {
        _node.NameTaken([]);
        await AssertNotReadyAsync("set Affinity:Node:Id");
    }

    [Fact]
    public async Task Ready_is_no_when_the_node_drains()
    {
        _node.Joined([_node.ToRecord()]);
        _node.BeginDrain(stops: true);
        await AssertNotReadyAsync("draining");
    }

    [Fact]
    public async Task Ready_names_every_check_that_fails()
    {
        _node.Joined([_node.ToRecord()]);
        _checks.AddRange([new Check("No keys yet."), new Check(Because: null), new Check("No store yet.")]);
        await AssertNotReadyAsync("\"reasons\":[\"No keys yet.\",\"No store yet.\"]");
    }

    [Fact]
    public async Task Ready_stays_yes_but_degraded_when_the_directory_goes_away_later()
    {
        _node.Joined([_node.ToRecord()]);
        _node.DirectoryAway(DateTimeOffset.UnixEpoch);
        var (status, body) = await GetAsync("/affinity/health/ready");
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Contains("\"degraded\":\"The node directory has not answered", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/affinity/health/live")]
    [InlineData("/affinity/health/ready")]
    public async Task Health_is_never_cached_and_answers_only_GET_and_HEAD(string path)
    {
        var client = await StartAsync();
        using var head = await client.SendAsync(new HttpRequestMessage(HttpMethod.Head, path));
        using var get = await client.GetAsync(path);
        using var post = await client.PostAsync(path, content: null);
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.Equal(get.Content.Headers.ContentLength, head.Content.Headers.ContentLength);
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
        Assert.Equal(HttpStatusCode.MethodNotAllowed, post.StatusCode);
        Assert.Equal(["GET", "HEAD"], post.Content.Headers.Allow);
        Assert.All([head, get, post], r => Assert.Equal("no-store", r.Headers.CacheControl!.ToString()));
    }

    [Theory]
    [InlineData("/affinity/health")]
    [InlineData("/affinity/health/")]
    [InlineData("/affinity/health/other")]
    [InlineData("/affinity/healthy/live")]
    [InlineData("/affinity/health/live/x")]
    public async Task Every_other_path_is_the_apps(string path) =>
        Assert.Equal((HttpStatusCode.OK, "app"), await GetAsync(path));

    [Fact]
    public async Task Requests_are_counted_and_know_their_node_but_health_requests_are_not_counted()
    {
        (int InFlight, NodeId? Node) seen = default;
        _app = context =>
        {
            seen = (_node.Requests.InFlight, context.Features.Get<NodeFeature>()?.Node);
            return Task.CompletedTask;
        };
        await GetAsync("/");
        await GetAsync("/affinity/health/live");
        Assert.Equal((1, _node.Self), seen);
        Assert.Equal((0, 1), (_node.Requests.InFlight, _node.Requests.Served));
    }

    [Fact]
    public async Task A_request_that_fails_is_not_in_flight_any_more()
    {
        _app = _ => throw new InvalidOperationException("A fault of the app.");
        await Assert.ThrowsAsync<InvalidOperationException>(() => GetAsync("/"));
        Assert.Equal(0, _node.Requests.InFlight);
    }

    [Fact]
    public async Task No_response_names_the_node_unless_it_is_asked_for()
    {
        var client = await StartAsync();
        using var response = await client.GetAsync("/");
        Assert.Empty(response.Headers);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_response_header_names_the_node_on_the_page_of_a_fault_too(bool faults)
    {
        _options.ResponseHeader = "X-Affinity-Node";
        var app = _app;
        _app = context => faults ? throw new InvalidOperationException("A fault of the app.") : app(context);
        var client = await StartAsync();
        using var response = await client.GetAsync("/");
        Assert.Equal(faults ? HttpStatusCode.InternalServerError : HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("node-a", Assert.Single(response.Headers.GetValues("X-Affinity-Node")));
    }

    public async ValueTask DisposeAsync()
    {
        if (_host is not null)
        {
            await _host.StopAsync();
            _host.Dispose();
        }
    }

    private async Task AssertNotReadyAsync(string because)
    {
        var (status, body) = await GetAsync("/affinity/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        using var json = JsonDocument.Parse(body);
        Assert.False(json.RootElement.GetProperty("ready").GetBoolean());
        Assert.Contains(because, body, StringComparison.Ordinal);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        var client = await StartAsync();
        using var response = await client.GetAsync(path);
        return (response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData(DrainReadiness.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, null)]
    [InlineData(DrainReadiness.NotFound, HttpStatusCode.NotFound, null)]
    [InlineData(DrainReadiness.EnvoyDegraded, HttpStatusCode.OK, "true")]
    public async Task A_draining_node_answers_the_ready_path_as_the_balancer_needs_it(DrainReadiness readiness, HttpStatusCode status, string? degraded)
    {
        _node.Joined([FakeDirectory.Peer("node-z")]);
        _drain.Readiness = readiness;
        _node.BeginDrain(stops: false);
        var client = await StartAsync();
        using var response = await client.GetAsync("/affinity/health/ready");
        Assert.Equal(status, response.StatusCode);
        Assert.Equal(degraded, response.Headers.TryGetValues("x-envoy-degraded", out var values) ? values.Single() : null);
    }

    /// <summary>Whoever drained the only node, or all of them, took the site out: 503 from each, although each could serve.</summary>
    [Theory]
    [InlineData(nameof(PeerSight.All), null, true)]
    [InlineData(nameof(PeerSight.All), nameof(NodeState.Draining), true)]
    [InlineData(nameof(PeerSight.All), nameof(NodeState.Starting), true)]
    [InlineData(nameof(PeerSight.All), nameof(NodeState.Active), false)]
    [InlineData(nameof(PeerSight.Alone), null, true)]
    [InlineData(nameof(PeerSight.Blind), null, false)]
    public async Task Ready_stays_yes_but_degraded_while_a_node_drains_by_command_that_is_known_to_be_the_last(string sight, string? peer, bool ready)
    {
        _node = TestNode.Create(sight: Enum.Parse<PeerSight>(sight));
        _node.Joined(peer is null ? [_node.ToRecord()] : [_node.ToRecord(), FakeDirectory.Peer("node-z") with { State = Enum.Parse<NodeState>(peer) }]);
        _node.BeginDrain(stops: false);

        var (status, body) = await GetAsync("/affinity/health/ready");

        Assert.Equal(ready ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable, status);
        Assert.Contains(ready ? "\"state\":\"draining\",\"ready\":true,\"reasons\":[],\"degraded\":\"The node drains by command, but no other node takes visitors" : "\"reasons\":[\"The node is draining, by command.\"]}", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_last_node_is_not_ready_when_it_stops_or_lacks_something_and_503_is_then_said_for_that()
    {
        _node.Joined([_node.ToRecord()]);
        _drain.Readiness = DrainReadiness.NotFound;
        _checks.Add(new Check("No keys yet."));
        _node.BeginDrain(stops: false);
        await AssertNotReadyAsync("\"reasons\":[\"No keys yet.\"]");
        _node.BeginDrain(stops: true);
        await AssertNotReadyAsync("\"reasons\":[\"The node is draining: it is about to stop.\",\"No keys yet.\"]");
    }

    [Fact]
    public async Task A_draining_node_that_has_also_lost_its_name_is_503_whatever_the_balancer()
    {
        _drain.Readiness = DrainReadiness.EnvoyDegraded;
        _node.BeginDrain(stops: false);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/affinity/health/ready")).Item1);
    }

    [Fact]
    public async Task A_draining_node_keeps_no_connection_open_and_an_active_one_does()
    {
        _node.Joined([]);
        var client = await StartAsync();
        using var before = await client.GetAsync("/");
        Assert.False(before.Headers.ConnectionClose ?? false);
        _node.BeginDrain(stops: false);
        using var after = await client.GetAsync("/");
        Assert.True(after.Headers.ConnectionClose);
    }

    private async Task<HttpClient> StartAsync()
    {
        _host ??= await new HostBuilder().ConfigureWebHost(web => web
            .UseTestServer()
            .ConfigureServices(services => services.AddSingleton(_node).AddSingleton(_options).AddSingleton(_drain).AddSingleton(new NodeHealth(_node, _checks)))
            .Configure(app =>
            {
                app.UseMiddleware<NodeMiddleware>();
                if (_options.ResponseHeader is not null)
                {
                    app.UseExceptionHandler(page => page.Run(context => context.Response.WriteAsync("sorry")));
                }

                app.Run(context => _app(context));
            })).StartAsync();
        return _host.GetTestClient();
    }

    private sealed record Check(string? Because) : IReadinessCheck
    {
        public string? NotReadyBecause() => Because;
    }
}
