using Affinity.FaultTests.Former;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Two nodes of this release and one that knows the former formats only, as during a rolling upgrade.</summary>
public sealed class TwoReleasesTests(ITestOutputHelper output, TwoReleasesTests.Nodes nodes) : FaultRows(output), IClassFixture<TwoReleasesTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public async Task A_node_of_the_former_release_serves_the_same_sessions()
    {
        await using var former = await FormerNode.StartAsync(nodes.Farm);
        await PlayAsync(nodes.Farm, new Scene
        {
            Fault = "two releases side by side",
            LosesNothing = true,
            FailsNothing = true,
            More = [former.Address],
            // The former node neither begins nor ends sessions.
            EndsSessions = false,
            Begins = nodes.Farm[0],
            Strike = () => Task.Delay(TimeSpan.FromSeconds(4)),
        });
    }

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => Patient;
    }
}
