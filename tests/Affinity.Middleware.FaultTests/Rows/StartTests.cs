using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Nodes that start before Redis does.</summary>
public sealed class StartTests(ITestOutputHelper output, StartTests.Nodes nodes) : FaultRows(output), IClassFixture<StartTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public Task Redis_refuses_connections_when_the_nodes_start() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "connection refused at start, Redis comes 1 s after the first requests",
        LosesNothing = true,
        Before = 0,
        Strike = async () =>
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            await nodes.Farm.Redis.RestartAsync();
        },
    });

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { WithoutRedis = true };
    }
}
