using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>After a fail-over the old primary comes back, as a primary: nodes that are given both addresses follow the one or the other.</summary>
public sealed class SplitBrainTests(ITestOutputHelper output) : FaultRows(output)
{
    [ServerFact(Needs.Redis)]
    public async Task The_old_primary_comes_back_as_a_second_one()
    {
        await using var pair = await RedisPair.StartAsync(new RedisServerOptions { AppendOnly = true });
        await using var farm = await FaultFarm.StartAsync(new FarmStart { ConnectionString = pair.ConnectionString });
        await PlayAsync(farm, new Scene
        {
            Fault = "split brain: the old primary comes back for 3 s",
            EndsSessions = false,
            Strike = async () =>
            {
                await FailOverTests.FailOverAsync(pair);
                foreach (var node in farm.Nodes)
                {
                    await Eventually.WritesAsync(node.BaseAddress, TimeSpan.FromSeconds(20));
                }

                await pair.Primary.RestartAsync();
                await Task.Delay(TimeSpan.FromSeconds(3));
                pair.Primary.Kill();
            },
        });
    }
}
