using System.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>A server of one's own that goes away, refuses, or is killed.</summary>
public sealed class PostgresFaultTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    [ServerFact(Needs.Postgres)]
    public async Task Killed_under_load_and_started_again_it_has_every_write_that_was_answered()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Durable = true });
        await using var node = new PostgresNode(server.ConnectionString);
        await using var load = new WriterLoad(node.Store, sessions: 20, TimeSpan.FromMilliseconds(2));
        await load.GoOnAsync();
        server.Kill();
        await server.RestartAsync();
        await load.GoOnAsync();
        await load.EndAsync();
        load.Tell(output);
        Assert.All(load.Sessions.Values, session => Assert.Equal(0UL, session.Lost));
        Assert.NotEmpty(load.Failures);
    }

    [ServerFact(Needs.Postgres)]
    public async Task Terminated_connections_lose_nothing_that_was_answered_and_leave_nobody_without_a_store()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var node = new PostgresNode(server.ConnectionString);
        await using var load = new WriterLoad(node.Store, sessions: 20, TimeSpan.FromMilliseconds(1));
        await load.GoOnAsync();
        for (var i = 0; i < 5; i++)
        {
            await server.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'affinity'");
            await load.GoOnAsync(writes: 1);
        }

        await load.EndAsync();
        load.Tell(output);
        Assert.All(load.Sessions.Values, session => Assert.Equal(0UL, session.Lost));
        Assert.Contains(load.Failures, failure => failure.Fault == SessionStoreFault.Ambiguous);
    }

    [ServerFact(Needs.Postgres)]
    public async Task A_silent_server_holds_nobody_beyond_the_token_and_is_used_again_when_it_answers()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var node = new PostgresNode(server.ConnectionString);
        var create = BackendHarness.Create(1);
        await node.WriteAsync(create);

        server.Freeze();
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.ReadAsync(Patience))));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => node.WriteAsync(BackendHarness.After(create.Next, 2), within: Patience));
        Assert.InRange(watch.Elapsed, Patience, TimeSpan.FromSeconds(3));
        server.Thaw();

        var read = await node.ReadUntilHealedAsync();
        Assert.Equal(SessionReadKind.Found, read.Kind);
    }
}
