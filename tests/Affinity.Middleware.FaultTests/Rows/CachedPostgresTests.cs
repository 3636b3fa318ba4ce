using Affinity.Backends;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Redis in front of PostgreSQL: whatever becomes of the one, nothing is lost; and the other is the store.</summary>
public sealed class CachedPostgresTests(ITestOutputHelper output, CachedPostgresTests.Nodes nodes) : FaultRows(output), IClassFixture<CachedPostgresTests.Nodes>
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task The_cache_is_killed_and_comes_again_empty() => PlayAsync(Farm, new Scene
    {
        Fault = "Redis over PostgreSQL: Redis kill -9, restart after 1 s, empty",
        LosesNothing = true,
        FailsNothing = true,
        Strike = () => DieForASecondAsync(Farm.Redis),
    });

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task The_cache_is_stopped_for_three_seconds() => PlayAsync(Farm, new Scene
    {
        Fault = "Redis over PostgreSQL: Redis SIGSTOP for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = async () =>
        {
            Farm.Redis.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(3));
            Farm.Redis.Thaw();
        },
    });

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task The_cache_is_emptied() => PlayAsync(Farm, new Scene
    {
        Fault = "Redis over PostgreSQL: FLUSHALL",
        LosesNothing = true,
        FailsNothing = true,
        Strike = () => Farm.Redis.CommandAsync("FLUSHALL"),
    });

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task The_database_is_stopped_for_five_seconds() => PlayAsync(Farm, new Scene
    {
        Fault = "Redis over PostgreSQL: PostgreSQL SIGSTOP for 5 s",
        LosesNothing = true,
        Sticky = true,
        FailsNothing = true,
        Strike = async () =>
        {
            Farm.Postgres.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(5));
            Farm.Postgres.Thaw();
        },
    });

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => Patient with { Store = StoreKind.RedisOverPostgres, Postgres = new PostgresServerOptions { Durable = true } };
    }
}
