using Affinity.Backends;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A PostgreSQL that was told not to keep sessions through a crash.</summary>
public sealed class ForgetfulPostgresTests(ITestOutputHelper output, ForgetfulPostgresTests.Nodes nodes) : FaultRows(output), IClassFixture<ForgetfulPostgresTests.Nodes>
{
    [ServerFact(Needs.Postgres)]
    public Task An_unlogged_table_is_empty_after_a_crash() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "PostgreSQL: kill -9 and restart with Unlogged",
        Strike = async () =>
        {
            nodes.Farm.Postgres.Kill();
            await nodes.Farm.Postgres.RestartAsync();
        },
        // An ending is a row like any other.
        EndsSessions = false,
    });

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Store = StoreKind.Postgres, Postgres = new PostgresServerOptions { Durable = true }, Settings = [("Affinity:Postgres:Unlogged", "true")] };
    }
}
