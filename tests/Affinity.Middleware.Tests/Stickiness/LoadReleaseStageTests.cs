using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Stickiness;

/// <summary>Release of load with requests, and with threads.</summary>
public sealed class LoadReleaseStageTests
{
    [Fact]
    public async Task A_node_above_the_mean_gives_away_its_share_per_interval_and_no_session_is_lost()
    {
        await using var farm = await StartAsync(share: 0.2);
        var visitors = await VisitorsAsync(farm, 10);

        // A fifth of ten, and of eight rounded up; then of six, of which one is above the mean of five.
        foreach (var expected in (int[])[2, 2, 1, 0])
        {
            await farm.PassAsync(TimeSpan.FromSeconds(10));
            var moved = 0;
            foreach (var visitor in visitors)
            {
                Assert.Equal("1", await visitor.GetOkAsync(farm[visitor.Cookies["AFF"]!], "/get"));
                moved += visitor.RouteLines().Length;
                Assert.Equal("1", await visitor.GetOkAsync(farm[visitor.Cookies["AFF"]!], "/get"));
            }

            Assert.Equal(expected, moved);
        }

        Assert.Equal((5, 5), (farm["a"].Membership.Bound.Count, farm["b"].Membership.Bound.Count));
    }

    /// <summary>A monitor that comes with the same cookie each time was released each time, and used up what may be given away; nobody who counts was.</summary>
    [Fact]
    public async Task A_visitor_who_is_not_counted_is_not_given_away_and_uses_nothing_up()
    {
        await using var farm = await StartAsync(share: 0.2);
        var visitors = await VisitorsAsync(farm, 10);
        var monitor = farm.NewVisitor();
        monitor.Forge("AFF", "a");
        await farm.PassAsync(TimeSpan.FromSeconds(10));

        await monitor.AssertQuietAsync(farm["a"]);

        var moved = 0;
        foreach (var visitor in visitors)
        {
            await visitor.GetOkAsync(farm["a"]);
            moved += visitor.RouteLines().Length;
        }

        Assert.Equal(2, moved);
    }

    [Fact]
    public async Task Requests_at_the_same_time_never_give_one_binding_away_twice()
    {
        await using var farm = await StartAsync(share: 0.5);
        await VisitorsAsync(farm, 10);
        var judge = farm["a"].Get<StickinessJudge>();
        for (var round = 0; round < 10; round++)
        {
            await farm.PassAsync(TimeSpan.FromSeconds(10));
            var (released, go) = (0, new Barrier(8));
            var threads = Enumerable.Range(0, 8).Select(_ => new Thread(() =>
            {
                go.SignalAndWait();
                for (var i = 0; i < 500; i++)
                {
                    if (judge.Decide(Visit(), ApplicationCookieState.Absent).Reason == StickinessReason.Load)
                    {
                        Interlocked.Increment(ref released);
                    }
                }
            })).ToArray();
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());

            Assert.Equal(5, released);
        }
    }

    private static StickinessFeature Visit()
    {
        var ticket = new TicketFeature(TicketReading.None, new DefaultHttpContext().Response);
        ticket.Issue(Sample.Ticket());
        return new(RouteReading.Named(Affinity.Nodes.NodeId.Parse("a")), BindingReading.None, cameWithApplicationCookie: false, ticket);
    }

    private static Task<StickyFarm> StartAsync(double share) =>
        StickyFarm.StartAsync("a b", o => (o.Stickiness.ReleaseAbove, o.Stickiness.ReleaseShare) = (1.1, share));

    private static async Task<Visitor[]> VisitorsAsync(StickyFarm farm, int count)
    {
        var visitors = new Visitor[count];
        for (var i = 0; i < count; i++)
        {
            visitors[i] = await farm.WithSessionAsync("a");
        }

        return visitors;
    }
}
