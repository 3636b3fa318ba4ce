using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

/// <summary>Two blue nodes and a green one.</summary>
public sealed class TrackTests
{
    private const string Nodes = "a/blue b/blue c/green";

    [Fact]
    public async Task A_visitor_without_a_session_is_pinned_too_and_then_gets_no_further_cookie()
    {
        await using var farm = await StartAsync();
        var visitor = farm.NewVisitor();

        Assert.Equal("- new_visitor - > a new_visitor blue", await visitor.GetOkAsync(farm["a"], "/who"));

        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        Assert.EndsWith("; Path=/; Secure; HttpOnly; SameSite=Lax", Assert.Single(visitor.LinesOf(BindingName)), StringComparison.Ordinal);
        Assert.Equal(2, visitor.LastSetCookies.Count);
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Theory]
    [InlineData("c")]
    [InlineData("ghost")]
    [InlineData(null)]
    public async Task A_pinned_visitor_on_the_other_version_is_sent_back_once(string? route)
    {
        await using var farm = await StartAsync();
        var visitor = await PinnedAsync(farm);
        visitor.Cookies.Remove("AFF");
        if (route is not null)
        {
            visitor.Forge("AFF", route);
        }

        await visitor.GetOkAsync(farm["c"]);

        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["c"], 2);
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task A_balancer_that_does_not_obey_is_corrected_three_times_and_then_left_alone()
    {
        await using var farm = await StartAsync();
        var visitor = await PinnedAsync(farm);
        var corrected = 0;
        for (var i = 0; i < 20; i++)
        {
            visitor.Forge("AFF", "c");
            await visitor.GetOkAsync(farm["c"]);
            corrected += visitor.RouteLines().Length;
        }

        Assert.Equal(3, corrected);
    }

    [Fact]
    public async Task On_another_node_of_the_version_the_visitor_is_bound_there()
    {
        await using var farm = await StartAsync();
        var visitor = await PinnedAsync(farm);

        await visitor.GetOkAsync(farm["b"]);

        Assert.Equal(RouteTo("b"), visitor.RouteLines());
        Assert.Single(visitor.LinesOf(BindingName));
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task When_no_node_of_the_version_is_left_the_visitor_moves_with_their_session_and_does_not_come_back()
    {
        await using var farm = await StartAsync();
        var visitor = await PinnedAsync(farm);
        await visitor.PostOkAsync(farm["a"], "/set");
        await farm.KillAsync("a");
        await visitor.GetOkAsync(farm["c"]);
        Assert.Equal(RouteTo("b"), visitor.RouteLines());

        await farm.KillAsync("b");
        Assert.Equal("1", await visitor.GetOkAsync(farm["c"], "/get"));
        Assert.Equal(RouteTo("c"), visitor.RouteLines());

        await farm.AddAsync("a/blue");
        await farm.BeatAsync();
        await visitor.AssertQuietAsync(farm["c"]);
    }

    /// <summary>After a release the app was still told the version that the visitor no longer stays on.</summary>
    [Fact]
    public async Task When_the_time_on_the_version_has_passed_the_balancer_chooses_anew()
    {
        await using var farm = await StickyFarm.StartAsync(Nodes, options => options.Stickiness.TrackDuration = TimeSpan.FromMinutes(30));
        var visitor = await PinnedAsync(farm);
        await farm.PassAsync(TimeSpan.FromMinutes(30) - TimeSpan.FromSeconds(1));
        await visitor.AssertQuietAsync(farm["a"], 2);

        await farm.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("a track_ended blue > - track_ended -", await visitor.GetOkAsync(farm["a"], "/who"));

        Assert.Equal([Removal], visitor.RouteLines());
        Assert.Null(visitor.Cookies[BindingName]);
        Assert.Equal("- new_visitor - > c new_visitor green", await visitor.GetOkAsync(farm["c"], "/who"));
        await visitor.AssertQuietAsync(farm["c"]);
    }

    /// <summary>Of two nodes the one with less load was drawn, whatever version it ran: with visitors on the other blue node, all newcomers of the draining one were pinned to green, whatever its share was.</summary>
    [Fact]
    public async Task A_draining_node_sends_newcomers_to_its_own_version()
    {
        await using var farm = await StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await farm.WithSessionAsync("b");
        }

        await farm.AskAsync("a", NodeWish.Drain);
        for (var i = 0; i < 10; i++)
        {
            var newcomer = farm.NewVisitor();
            await newcomer.GetOkAsync(farm["a"]);
            Assert.Equal(RouteTo("b"), newcomer.RouteLines());
        }
    }

    [Fact]
    public async Task A_visitor_who_logs_out_stays_on_their_version()
    {
        await using var farm = await StartAsync();
        var visitor = await PinnedAsync(farm);
        await visitor.PostOkAsync(farm["a"], "/set");

        await visitor.PostOkAsync(farm["a"], "/abandon");

        Assert.StartsWith(TicketName + "=;", Assert.Single(visitor.LastSetCookies), StringComparison.Ordinal);
        Assert.Equal("a bound_here blue > a bound_here blue", await visitor.GetOkAsync(farm["a"], "/who"));
    }

    private static Task<StickyFarm> StartAsync() => StickyFarm.StartAsync(Nodes);

    private static async Task<Visitor> PinnedAsync(StickyFarm farm)
    {
        var visitor = farm.NewVisitor();
        await visitor.GetOkAsync(farm["a"]);
        return visitor;
    }
}
