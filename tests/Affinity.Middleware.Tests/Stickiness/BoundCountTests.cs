using System.Text.Json;
using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Stickiness;

/// <summary>How many visitors are bound to a node, as its health path tells it.</summary>
public sealed class BoundCountTests
{
    [Fact]
    public async Task Visitors_with_a_session_count_once_and_others_do_not()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitors = await VisitorsAsync(farm, 3);
        await farm.NewVisitor().GetOkAsync(farm["a"]);
        await visitors[0].AssertQuietAsync(farm["a"], 4);

        Assert.Equal((3, 0), (await BoundAsync(farm["a"]), await BoundAsync(farm["b"])));
    }

    [Fact]
    public async Task Who_logs_out_counts_no_more()
    {
        await using var farm = await StickyFarm.StartAsync("a");
        var visitors = await VisitorsAsync(farm, 2);

        await visitors[0].PostOkAsync(farm["a"], "/abandon");
        await visitors[0].AssertQuietAsync(farm["a"], 2);

        Assert.Equal(1, await BoundAsync(farm["a"]));
    }

    [Fact]
    public async Task A_node_that_drains_counts_down_as_its_visitors_leave()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitors = await VisitorsAsync(farm, 3);
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);

        for (var left = 2; left >= 0; left--)
        {
            await visitors[left].GetOkAsync(farm["a"]);
            Assert.Equal(left, await BoundAsync(farm["a"]));
            await visitors[left].GetOkAsync(farm["b"]);
            Assert.Equal(3 - left, await BoundAsync(farm["b"]));
        }
    }

    [Fact]
    public async Task Who_has_no_session_any_more_for_idleness_counts_no_more()
    {
        await using var farm = await StickyFarm.StartAsync("a");
        await VisitorsAsync(farm, 2);

        await farm.PassAsync(new Affinity.Sessions.SessionsOptions().IdleTimeout);

        Assert.Equal(0, await BoundAsync(farm["a"]));
    }

    private static async Task<Visitor[]> VisitorsAsync(StickyFarm farm, int count)
    {
        var visitors = new Visitor[count];
        for (var i = 0; i < count; i++)
        {
            visitors[i] = await farm.WithSessionAsync("a");
        }

        return visitors;
    }

    private static async Task<int> BoundAsync(StickyNode node)
    {
        using var live = JsonDocument.Parse(await new Visitor().GetOkAsync(node, "/affinity/health/live"));
        return live.RootElement.GetProperty("bound").GetInt32();
    }
}
