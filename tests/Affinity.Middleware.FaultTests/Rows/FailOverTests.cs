using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A primary dies before its replica has everything, and the replica is promoted.</summary>
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
            LosesNothing = true,
            Strike = () => FailOverAsync(pair),
            EndsSessions = false,
        });
    }

    internal static async Task FailOverAsync(RedisPair pair)
    {
        await pair.WaitUntilReplicatedAsync();
        pair.Part();
        await Task.Delay(TimeSpan.FromSeconds(1));
        pair.Primary.Kill();
        await pair.PromoteAsync();
    }
}
