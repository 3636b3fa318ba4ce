using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A primary dies before its replica has everything, the replica is promoted, and the old primary comes back as a second one.</summary>
public sealed class FailOverTests(ITestOutputHelper output) : FaultRows(output)
{
    [ServerFact(Needs.Redis)]
    public async Task The_promoted_replica_lacks_the_last_writes()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var farm = await FaultFarm.StartAsync(new FarmStart { ConnectionString = pair.ConnectionString });
        await PlayAsync(farm, new Scene
        {
            Fault = "fail-over to a replica that lacks the last second",
            Strike = () => FailOverAsync(pair),
            EndsSessions = false,
            After = TimeSpan.FromSeconds(2),
        });
    }

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
                await FailOverAsync(pair);
                foreach (var node in farm.Nodes)
                {
                    await Eventually.WritesAsync(node.BaseAddress, TimeSpan.FromSeconds(20));
                }

                await pair.Primary.RestartAsync();
                await Task.Delay(TimeSpan.FromSeconds(3));
                pair.Primary.Kill();
            },
            After = TimeSpan.FromSeconds(2),
        });
    }

    private static async Task FailOverAsync(RedisPair pair)
    {
        await pair.WaitUntilReplicatedAsync();
        pair.Part();
        await Task.Delay(TimeSpan.FromSeconds(1));
        pair.Primary.Kill();
        await pair.PromoteAsync();
    }
}
