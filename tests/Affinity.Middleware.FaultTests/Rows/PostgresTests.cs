using Affinity.Backends;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A PostgreSQL that dies, stands still, refuses or breaks connections, and keeps what it has acknowledged.</summary>
public sealed class PostgresTests(ITestOutputHelper output, PostgresTests.Nodes nodes) : FaultRows(output), IClassFixture<PostgresTests.Nodes>
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Postgres)]
    public Task PostgreSQL_is_killed_and_comes_again_with_its_log() => PlayAsync(Farm, new Scene
    {
        Fault = "PostgreSQL: kill -9 and restart after 1 s",
        LosesNothing = true,
        Sticky = true,
        FailsNothing = true,
        Strike = async () =>
        {
            Farm.Postgres.Kill();
            await Task.Delay(TimeSpan.FromSeconds(1));
            await Farm.Postgres.RestartAsync();
        },
    });

    [ServerFact(Needs.Postgres)]
    public Task PostgreSQL_is_stopped_for_five_seconds() => PlayAsync(Farm, new Scene
    {
        Fault = "PostgreSQL: SIGSTOP for 5 s",
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

    [ServerFact(Needs.Postgres)]
    public Task Its_connections_are_terminated_every_100_ms() => PlayAsync(Farm, new Scene
    {
        Fault = "PostgreSQL: pg_terminate_backend every 100 ms for 3 s",
        LosesNothing = true,
        Strike = async () =>
        {
            using var end = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            while (!end.IsCancellationRequested)
            {
                await Farm.Postgres.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");
                await Task.Delay(100, CancellationToken.None);
            }
        },
    });

    [ServerFact(Needs.Postgres)]
    public Task It_takes_no_writes() => PlayAsync(Farm, new Scene
    {
        Fault = "PostgreSQL: read-only for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = async () =>
        {
            await SetReadOnlyAsync("on");
            await Task.Delay(TimeSpan.FromSeconds(3));
            await SetReadOnlyAsync("off");
        },
    });

    [ServerFact(Needs.Postgres)]
    public Task Its_answers_are_lost_after_the_statement_was_committed() => PlayAsync(Farm, new Scene
    {
        Fault = "PostgreSQL: replies dropped after the commit, 4 times 300 ms",
        LosesNothing = true,
        Strike = async () =>
        {
            for (var i = 0; i < 4; i++)
            {
                Farm.DatabaseNetwork.DropReplies = true;
                await Task.Delay(300);
                Farm.DatabaseNetwork.DropReplies = false;
                await Task.Delay(700);
            }
        },
    });

    private async Task SetReadOnlyAsync(string state)
    {
        await Farm.Postgres.ExecuteAsync($"ALTER SYSTEM SET default_transaction_read_only = {state}");
        await Farm.Postgres.ExecuteAsync("SELECT pg_reload_conf()");
    }

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => Patient with { Store = StoreKind.Postgres, Postgres = new PostgresServerOptions { Durable = true } };
    }
}
