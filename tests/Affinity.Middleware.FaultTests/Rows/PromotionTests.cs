using Affinity.Backends;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>The primary of a PostgreSQL dies, and its replica is promoted.</summary>
public sealed class PromotionTests(ITestOutputHelper output) : FaultRows(output)
{
    [ServerFact(Needs.Postgres)]
    public Task Nodes_give_back_what_the_promoted_replica_lacks() =>
        PromoteAsync("PostgreSQL: promotion of a replica that lacks the last second", isSynchronous: false, losesNothing: true);

    /// <summary>As if every node that remembers something had died with the primary.</summary>
    [ServerFact(Needs.Postgres)]
    public async Task What_the_promoted_replica_lacks_and_nobody_remembers_is_told() =>
        Assert.NotEqual(0, (await PromoteAsync("PostgreSQL: the same, and no node remembers", isSynchronous: false, losesNothing: false, ("Affinity:Sessions:NearCache:Enabled", "false"))).Lost);

    [ServerFact(Needs.Postgres)]
    public Task A_synchronous_replica_lacks_nothing() =>
        PromoteAsync("PostgreSQL: promotion of a synchronous replica, and no node remembers", isSynchronous: true, losesNothing: true, ("Affinity:Sessions:NearCache:Enabled", "false"));

    private async Task<History.HistoryVerdict> PromoteAsync(string fault, bool isSynchronous, bool losesNothing, params (string, string)[] settings)
    {
        await using var pair = await PostgresPair.StartAsync(synchronous: isSynchronous);
        await using var farm = await FaultFarm.StartAsync(new FarmStart { Store = StoreKind.Postgres, Database = pair.ConnectionString, Settings = settings });
        return await PlayAsync(farm, new Scene
        {
            Fault = fault,
            LosesNothing = losesNothing,
            EndsSessions = false,
            Strike = async () =>
            {
                if (!isSynchronous)
                {
                    await pair.WaitUntilReplayedAsync();
                    pair.Part();
                    await Task.Delay(TimeSpan.FromSeconds(1));
                }

                pair.Primary.Kill();
                await PostgresPair.PromoteAsync(pair.Replica);
            },
        });
    }
}
