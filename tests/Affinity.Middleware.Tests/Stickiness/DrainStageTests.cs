using System.Net;
using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

/// <summary>A draining node as visitors see it. The notice takes 3 s.</summary>
public sealed class DrainStageTests
{
    private static readonly TimeSpan Notice = new DrainOptions().Notice;

    [Fact]
    public async Task By_command_first_the_unbound_are_named_a_peer_and_then_the_bound()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var (bound, unbound) = (await farm.WithSessionAsync("a"), farm.NewVisitor());
        await farm.AskAsync("a", NodeWish.Drain);

        await unbound.GetOkAsync(farm["a"]);
        Assert.Equal(RouteTo("b"), unbound.LastSetCookies);
        Assert.Equal("a drain_keeps_bound - > a drain_keeps_bound -", await bound.GetOkAsync(farm["a"], "/who"));
        await bound.AssertQuietAsync(farm["a"], 2);

        await farm.PassAsync(Notice);
        Assert.Equal("a drain - > b drain -", await bound.GetOkAsync(farm["a"], "/who"));
        Assert.Equal(RouteTo("b"), bound.LastSetCookies);
        await bound.AssertQuietAsync(farm["b"]);
        await unbound.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task A_drain_that_is_taken_back_binds_again()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.PassAsync(Notice);

        await farm.AskAsync("a", NodeWish.Serve);

        var visitor = await farm.WithSessionAsync("a");
        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task On_SIGTERM_the_node_serves_on_names_peers_and_then_stops()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var (bound, unbound) = (await farm.WithSessionAsync("a"), farm.NewVisitor());
        var leaving = farm["a"];

        var stopping = leaving.StopAsync();
        await WaitUntilAsync(() => leaving.Membership.IsStopping);
        await unbound.GetOkAsync(leaving);
        Assert.Equal(RouteTo("b"), unbound.LastSetCookies);
        await bound.AssertQuietAsync(leaving, 2);

        await farm.PassAsync(Notice);
        Assert.Equal("1", await bound.GetOkAsync(leaving, "/get"));
        Assert.Equal(RouteTo("b"), bound.LastSetCookies);
        Assert.False(stopping.IsCompleted);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!stopping.IsCompleted)
        {
            patience.Token.ThrowIfCancellationRequested();
            farm.Time.Advance(TimeSpan.FromMilliseconds(500));
            await Task.Yield();
        }

        await stopping;
        await Assert.ThrowsAsync<HttpRequestException>(() => bound.GetOkAsync(leaving));
        await farm.BeatAsync();
        await bound.AssertQuietAsync(farm["b"]);
    }

    [Theory]
    [InlineData("a", UnboundRequests.Rebind)]
    [InlineData("a b", UnboundRequests.Rebind)]
    [InlineData("a b", UnboundRequests.Refuse)]
    public async Task When_all_nodes_drain_everybody_is_served_without_a_cookie(string nodes, UnboundRequests unbound)
    {
        await using var farm = await StickyFarm.StartAsync(nodes, o => o.Drain.UnboundRequests = unbound);
        var (bound, newcomer) = (await farm.WithSessionAsync("a"), farm.NewVisitor());
        foreach (var node in nodes.Split(' '))
        {
            await farm.AskAsync(node, NodeWish.Drain);
        }

        await farm.PassAsync(Notice);

        foreach (var node in nodes.Split(' '))
        {
            await bound.AssertQuietAsync(farm[node]);
            await newcomer.AssertQuietAsync(farm[node]);
        }

        await newcomer.PostOkAsync(farm["a"], "/set");
        Assert.Empty(newcomer.RouteLines());
    }

    [Fact]
    public async Task Of_three_that_leave_one_by_one_nobody_is_sent_to_one_that_leaves_too()
    {
        await using var farm = await StickyFarm.StartAsync("a b c");
        var visitor = await farm.WithSessionAsync("a");
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.AskAsync("b", NodeWish.Drain);
        await farm.PassAsync(Notice);

        await visitor.GetOkAsync(farm["a"]);

        Assert.Equal(RouteTo("c"), visitor.LastSetCookies);
        await visitor.AssertQuietAsync(farm["c"]);
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task Serve_leaves_the_unbound_to_the_balancer()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Drain.UnboundRequests = UnboundRequests.Serve);
        await farm.AskAsync("a", NodeWish.Drain);
        var visitor = farm.NewVisitor();

        await visitor.AssertQuietAsync(farm["a"]);
        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.Empty(visitor.RouteLines());
    }

    /// <summary>Refused requests were counted nowhere, although the metric's table had a word for them.</summary>
    [Fact]
    public async Task Refuse_answers_503_before_the_app_runs_and_counts_it_and_serves_the_bound()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Drain.UnboundRequests = UnboundRequests.Refuse);
        var (bound, unbound) = (await farm.WithSessionAsync("a"), farm.NewVisitor());
        await farm.AskAsync("a", NodeWish.Drain);
        using var decisions = new StickinessDecisions(farm["a"]);
        var runs = farm["a"].Runs;

        using var response = await unbound.GetAsync(farm["a"].Address, "/page");

        Assert.Equal((HttpStatusCode.ServiceUnavailable, ""), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal((TimeSpan.Zero, true, true), (response.Headers.RetryAfter!.Delta, response.Headers.CacheControl!.NoStore, response.Headers.ConnectionClose));
        Assert.Empty(unbound.LastSetCookies);
        Assert.Equal(runs, farm["a"].Runs);
        Assert.Equal(["refuse drain"], decisions.Seen);
        await bound.AssertQuietAsync(farm["a"], 2);
    }

    private static async Task WaitUntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (!condition())
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
