using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A node that stands still for longer than it may remember, and than the others count it as alive, and wakes.</summary>
public sealed class FrozenNodeTests(ITestOutputHelper output, FrozenNodeTests.Nodes nodes) : FaultRows(output), IClassFixture<FrozenNodeTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public Task A_node_is_stopped_for_thirty_seconds() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "node SIGSTOP for 30 s, then SIGCONT",
        Sticky = true,
        Patience = TimeSpan.FromSeconds(3),
        LosesNothing = true,
        Strike = async () =>
        {
            nodes.Farm.Nodes[1].Freeze();
            await Task.Delay(TimeSpan.FromSeconds(30));
            nodes.Farm.Nodes[1].Thaw();
        },
    });

    public sealed class Nodes : FaultFarm;
}
