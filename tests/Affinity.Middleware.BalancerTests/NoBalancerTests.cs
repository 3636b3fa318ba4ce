using Affinity.BalancerTests.Kit;
using Affinity.TestKit;
using ShopFarm;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.BalancerTests;

/// <summary>Nothing but a name with many addresses: each request goes to any node, and a visitor who is refused tries the next one.</summary>
public sealed class NoBalancerTests(ITestOutputHelper output)
{
    private const string Name = "none: any node per request";

    [ServerFact(Needs.Redis)]
    public async Task Visitors_who_ask_any_node_lose_nothing_when_one_drains_and_another_is_killed()
    {
        await using var nodes = await ShopNodes.StartAsync(new Dictionary<string, string>(StringComparer.Ordinal), null, null, null);
        IReadOnlyList<Uri> doors = [.. nodes.All.Select(node => node.BaseAddress)];

        var draining = new Tally();
        using var crowd = await Scene.SignedInAsync(draining, 24, Doors.AnyOfThem, doors);
        var stopped = 0L;
        await Scene.UnderLoadAsync(crowd, async () =>
        {
            await Scene.DrainAsync(nodes["n1"]);
            stopped = TimeProvider.System.GetTimestamp();
        });
        await nodes["n1"].RestartAsync();
        output.WriteLine(ResultTable.Record(Name, "drain", draining));

        var killing = new Tally();
        using var other = await Scene.SignedInAsync(killing, 24, Doors.AnyOfThem, doors);
        await Scene.UnderLoadAsync(other, () => Scene.KillAsync(killing, nodes["n2"].Kill), hurried: true);
        output.WriteLine(ResultTable.Record(Name, "killed under load", killing));

        // Nobody sends these visitors elsewhere, so they come up to the last moment: what arrives between the last answer and the closing of the port is reset.
        Assert.All(draining.Faults, fault => Assert.True(fault.Overlaps(stopped - (2 * TimeProvider.System.TimestampFrequency), stopped), fault.What));
        Assert.Empty(killing.FailureLines);
        Scene.AssertNothingLost(draining);
        Scene.AssertNothingLost(killing);
    }
}
