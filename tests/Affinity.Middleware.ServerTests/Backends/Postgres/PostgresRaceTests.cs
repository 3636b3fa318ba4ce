using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Npgsql;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>Several nodes at one row, with locks that are held on purpose where a race would be rare.</summary>
[Collection("Postgres backend")]
public sealed class PostgresRaceTests(PostgresBackendServer group) : IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresServer _server = group.Server;
    private readonly PostgresNode[] _nodes = [.. Enumerable.Range(0, 4).Select(_ => new PostgresNode(group.Server.ConnectionString, PostgresBackendServer.SchemaOf<PostgresRaceTests>()))];

    private PostgresNode Node => _nodes[0];

    public Task InitializeAsync() => Node.ReadAsync();

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Writers_of_four_nodes_lose_no_increment()
    {
        var create = BackendHarness.Create(BitConverter.GetBytes(0));
        await Node.WriteAsync(create);

        await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(async () =>
        {
            var (seen, value) = (create.Next, 0);
            while (true)
            {
                var result = await _nodes[i % 4].WriteAsync(BackendHarness.After(seen, BitConverter.GetBytes(value + 1)), Node.Key, TimeSpan.FromSeconds(20));
                if (result.Kind == SessionWriteKind.Written)
                {
                    return;
                }

                Assert.Equal(SessionWriteKind.Conflict, result.Kind);
                Assert.True(result.Newer!.Version.Counter > seen.Counter, $"{result.Newer.Version} is told to be newer than {seen}.");
                (seen, value) = (result.Newer.Version, BitConverter.ToInt32(result.Newer.Payload.Span));
            }
        })));

        var read = await Node.ReadAsync();
        Assert.Equal((100, 101UL), (BitConverter.ToInt32(read.Session!.Payload.Span), read.Session.Version.Counter));
    }

    [Fact]
    public async Task After_an_ending_was_answered_no_node_creates_or_writes()
    {
        for (var round = 0; round < 20; round++)
        {
            var key = SessionKey.Of(SessionId.Create());
            var create = BackendHarness.Create(1);
            await Node.WriteAsync(create, key);
            var ended = new TaskCompletionSource();
            var late = 0;
            await Task.WhenAll(_nodes.Select((node, i) => Task.Run(async () =>
            {
                for (var turn = 0; turn < 6; turn++)
                {
                    if (i == 0 && turn == 2)
                    {
                        await node.Store.DeleteAsync(key, BackendHarness.Hour, CancellationToken.None);
                        ended.SetResult();
                        continue;
                    }

                    var isAfter = ended.Task.IsCompleted;
                    var result = await node.WriteAsync(turn % 2 == 0 ? BackendHarness.Create(2) : BackendHarness.After(create.Next, 3), key);
                    if (isAfter && result.Kind != SessionWriteKind.Ended)
                    {
                        Interlocked.Increment(ref late);
                    }
                }
            })));

            Assert.Equal(0, late);
            Assert.Equal(SessionRead.Ended, await Node.ReadAsync(key: key));
        }
    }

    /// <summary>Of a statement that has waited, an answer out of the snapshot in which it began would be older than what was in its way, or nothing at all.</summary>
    [Fact]
    public async Task Whoever_has_waited_for_another_writer_is_told_what_that_one_wrote()
    {
        var first = BackendHarness.Create(1);
        await Node.WriteAsync(first);
        var second = BackendHarness.After(first.Next, 2);
        var (waiting, created) = (SessionKey.Of(SessionId.Create()), BackendHarness.Create(7));

        await using var other = await ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await CallAsync(other, WriteOf(Node.Key, second));
        await CallAsync(other, WriteOf(waiting, created));
        var update = _nodes[1].WriteAsync(BackendHarness.After(first.Next, 3), Node.Key);
        var creation = _nodes[2].WriteAsync(BackendHarness.Create(8), waiting);
        await Task.Delay(150);
        Assert.False(update.IsCompleted || creation.IsCompleted);
        await transaction.CommitAsync();

        var (refused, met) = (await update, await creation);
        Assert.Equal((SessionWriteKind.Conflict, second.Next), (refused.Kind, refused.Newer!.Version));
        Assert.Equal([2], refused.Newer.Payload.ToArray());
        Assert.Equal((SessionWriteKind.Conflict, created.Next), (met.Kind, met.Newer!.Version));
    }

    /// <summary>By the time of the transaction's beginning the session would still live.</summary>
    [Fact]
    public async Task A_session_that_expires_while_a_write_waits_is_gone_and_not_written()
    {
        var create = BackendHarness.Create(1) with { Idle = TimeSpan.FromMilliseconds(300) };
        await Node.WriteAsync(create);

        await using var other = await ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await CallAsync(other, $"SELECT 1 FROM {Node.Schema}.sessions WHERE key = '{Node.Key.Value}' FOR UPDATE");
        var write = _nodes[1].WriteAsync(BackendHarness.After(create.Next, 2), Node.Key);
        var touch = _nodes[2].Store.TouchAsync(Node.Key, BackendHarness.Hour, CancellationToken.None);
        await Task.Delay(400);
        Assert.False(write.IsCompleted || touch.IsCompleted);
        await transaction.CommitAsync();

        Assert.Equal(SessionWriteKind.Absent, (await write).Kind);
        Assert.False(await touch);
        Assert.Equal(SessionRead.Absent, await Node.ReadAsync());
    }

    [Fact]
    public async Task Under_a_database_that_isolates_more_a_race_is_a_conflict_or_known_not_to_be_applied()
    {
        await using var strict = new PostgresNode(_server.ConnectionString + ";Options=-c default_transaction_isolation=serializable", Node.Schema);
        var create = BackendHarness.Create(1);
        await Node.WriteAsync(create);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(async () =>
        {
            try
            {
                return (await strict.WriteAsync(BackendHarness.After(create.Next, 2), Node.Key)).Kind.ToString();
            }
            catch (SessionStoreException exception)
            {
                return exception.Fault.ToString();
            }
        })));

        Assert.Single(outcomes, nameof(SessionWriteKind.Written));
        Assert.All(outcomes, outcome => Assert.Contains(outcome, (string[])[nameof(SessionWriteKind.Written), nameof(SessionWriteKind.Conflict), nameof(SessionStoreFault.NotApplied)]));
        Assert.Equal(2UL, (await Node.ReadAsync()).Session!.Version.Counter);
    }

    [Fact]
    public async Task The_sweeper_removes_what_has_expired_and_nothing_else_while_others_write()
    {
        const int Expired = 20_000;
        await using var sweeping = new PostgresNode(_server.ConnectionString, configure: options => options.SweepBatch = 2_000);
        var kept = BackendHarness.Create(5);
        await sweeping.WriteAsync(kept);
        await sweeping.Store.DeleteAsync(SessionKey.Of(SessionId.Create()), BackendHarness.Hour, CancellationToken.None);
        await _server.ExecuteAsync($"""
            INSERT INTO {sweeping.Schema}.sessions (key, version, generation, generation_before, expires_before, expires, absolute, writes, payload)
            SELECT 'old' || n, '\x00000000000000010000000000000001', 0, 0, now(), now() - interval '1 hour', now() - interval '1 hour', '', repeat('x', 300)::bytea FROM generate_series(1, {Expired}) n
            """);
        await using var load = new WriterLoad(sweeping.Store, sessions: 5, TimeSpan.FromMilliseconds(1));
        await load.GoOnAsync();
        await using var other = await ConnectAsync();
        await using var transaction = await other.BeginTransactionAsync();
        await CallAsync(other, $"UPDATE {sweeping.Schema}.sessions SET expires = now() + interval '1 hour', absolute = now() + interval '1 hour' WHERE key = 'old7'");

        var (first, second) = (sweeping.Sweeper.SweepAsync(CancellationToken.None), new PostgresNode(_server.ConnectionString, sweeping.Schema));
        while (await _server.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0 && !first.IsCompleted)
        {
            await Task.Delay(5);
        }

        var meanwhile = await second.Sweeper.SweepAsync(CancellationToken.None);
        var removed = await first;
        await transaction.CommitAsync();
        await second.DisposeAsync();
        await load.EndAsync();

        Assert.Null(meanwhile);
        Assert.Equal(Expired - 1, removed);
        Assert.Equal(kept.Next, (await sweeping.ReadAsync()).Session!.Version);
        Assert.Equal(1L + 1 + 1 + load.Sessions.Count, await _server.ScalarAsync<long>($"SELECT count(*) FROM {sweeping.Schema}.sessions"));
        Assert.Equal(0, await sweeping.Sweeper.SweepAsync(CancellationToken.None));
    }

    private string WriteOf(SessionKey key, SessionWrite write) =>
        $"SELECT {Node.Schema}.write_session('{key.Value}', {Hex(write.Expected)}, {Hex(write.Next)}, 0, 3600000, 3600000, '\\x{Convert.ToHexString(write.Payload.Span)}', '')";

    private static string Hex(SessionVersion version) => $"'\\x{version.Counter:x16}{version.Stamp:x16}'";

    private async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(_server.ConnectionString + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private static async Task CallAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
