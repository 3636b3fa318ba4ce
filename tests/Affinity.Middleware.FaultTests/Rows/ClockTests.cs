using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Three nodes that do not agree on the time: one is right, one is ten minutes ahead, one ten minutes behind.</summary>
public sealed class ClockTests(ITestOutputHelper output, ClockTests.Nodes nodes) : FaultRows(output), IClassFixture<ClockTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public Task Clocks_differ_by_ten_minutes() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "node clocks 10 minutes ahead and behind",
        LosesNothing = true,
        FailsNothing = true,
        Strike = () => Task.Delay(TimeSpan.FromSeconds(3)),
    });

    public sealed class Nodes : FaultFarm
    {
        private static readonly string?[] WrongBy = [null, "00:10:00", "-00:10:00"];

        private protected override FarmStart Start => Patient with
        {
            Nodes = WrongBy.Length,
            NodeSettings = number => WrongBy[number] is { } by ? [(SkewedTime.Setting, by)] : [],
        };
    }
}
