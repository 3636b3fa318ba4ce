using Affinity.Backends.Postgres;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

[Collection("Postgres backend")]
public sealed class PostgresSchemaTests(PostgresBackendServer group)
{
    private readonly PostgresServer _server = group.Server;

    [Fact]
    public async Task Many_nodes_that_start_together_on_an_empty_database_make_the_tables_once_and_all_go_on()
    {
        var schema = NewSchema();
        var nodes = Enumerable.Range(0, 8).Select(_ => new PostgresNode(_server.ConnectionString, schema)).ToArray();

        var reads = await Task.WhenAll(nodes.Select(node => Task.Run(() => node.ReadAsync())));

        Assert.All(reads, read => Assert.Equal(SessionRead.Absent, read));
        Assert.Equal(PostgresSchemaScript.Number, await _server.ScalarAsync<int>($"SELECT number FROM {schema}.version"));
        await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Whoever_only_verifies_says_what_to_run_and_goes_on_without_a_restart_when_it_was_run()
    {
        await using var node = new PostgresNode(_server.ConnectionString, configure: options => options.Schema = PostgresSchema.Verify);
        var fault = await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync());
        await Assert.ThrowsAsync<KeyVaultException>(async () => await node.Vault.ReadAsync("ring", CancellationToken.None));
        Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
        Assert.Contains($"affinity schema postgres --schema {node.Schema}", fault.Message, StringComparison.Ordinal);
        Assert.Single(node.Logged, line => line.StartsWith("PostgresSchemaUnfit:", StringComparison.Ordinal));

        await _server.ExecuteAsync(PostgresSchemaScript.Printed(node.Schema, unlogged: false));

        Assert.Equal(SessionRead.Absent, await node.ReadAsync());
    }

    [Fact]
    public async Task A_user_with_no_more_than_the_documented_rights_can_do_everything_but_make_the_tables()
    {
        var (schema, user) = (NewSchema(), $"u{Guid.NewGuid():N}");
        await _server.ExecuteAsync($"CREATE USER {user}");
        var connection = _server.ConnectionString.Replace("affinity", user, StringComparison.Ordinal);
        await using var unfit = new PostgresNode(connection, schema);
        Assert.Contains("may not make the tables", (await Assert.ThrowsAsync<SessionStoreException>(() => unfit.ReadAsync())).Message, StringComparison.Ordinal);

        await _server.ExecuteAsync(PostgresSchemaScript.Printed(schema, unlogged: false));
        await _server.ExecuteAsync($"GRANT USAGE ON SCHEMA {schema} TO {user}; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {user}");
        await using var node = new PostgresNode(connection, schema, options => options.Schema = PostgresSchema.Verify);
        var create = BackendHarness.Create(1);

        Assert.Equal(SessionWriteKind.Written, (await node.WriteAsync(create)).Kind);
        Assert.Equal(SessionWriteKind.Written, (await node.WriteAsync(BackendHarness.After(create.Next, 2) with { Generation = 1 })).Kind);
        Assert.True(await node.Store.TouchAsync(node.Key, BackendHarness.Hour, CancellationToken.None));
        Assert.NotNull(await node.Store.TestifyAsync(CancellationToken.None));
        Assert.False(await node.Store.IsReplicatedAsync(CancellationToken.None));
        await node.Store.DeleteAsync(node.Key, BackendHarness.Hour, CancellationToken.None);
        Assert.True((await node.Directory.BeatAsync(new(Affinity.Nodes.NodeId.Parse("a"), Guid.NewGuid(), Affinity.Nodes.NodeState.Active, InFlight: 0), BackendHarness.Hour, CancellationToken.None)).Accepted);
        Assert.True(await node.Vault.AppendAsync("ring", "one", 0, CancellationToken.None));
        Assert.NotNull(await node.Announcements.AskAsync(node.Key, CancellationToken.None));
        Assert.Equal(0, await node.Sweeper.SweepAsync(CancellationToken.None));
    }

    [Fact]
    public async Task Tables_of_a_later_release_are_used_if_it_says_that_they_can_be()
    {
        await using var node = new PostgresNode(_server.ConnectionString);
        await node.ReadAsync();
        await _server.ExecuteAsync($"UPDATE {node.Schema}.version SET number = 99");
        await using var fit = new PostgresNode(_server.ConnectionString, node.Schema);
        Assert.Equal(SessionRead.Absent, await fit.ReadAsync());

        await _server.ExecuteAsync($"UPDATE {node.Schema}.version SET serves = 99");
        await using var unfit = new PostgresNode(_server.ConnectionString, node.Schema);

        Assert.Contains("later release", (await Assert.ThrowsAsync<SessionStoreException>(() => unfit.ReadAsync())).Message, StringComparison.Ordinal);
        Assert.Equal(99, await _server.ScalarAsync<int>($"SELECT number FROM {node.Schema}.version"));
    }

    [Fact]
    public async Task Tables_that_somebody_drops_under_use_are_made_again_and_meanwhile_nothing_is_taken_for_written()
    {
        await using var node = new PostgresNode(_server.ConnectionString);
        await node.WriteAsync(BackendHarness.Create(1));
        await _server.ExecuteAsync($"DROP SCHEMA {node.Schema} CASCADE");

        var fault = await Assert.ThrowsAsync<SessionStoreException>(() => node.WriteAsync(BackendHarness.Create(2)));

        Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
        Assert.Equal(SessionRead.Absent, await node.ReadAsync());
        Assert.Equal(SessionWriteKind.Written, (await node.WriteAsync(BackendHarness.Create(2))).Kind);
    }

    [Theory]
    [InlineData(false, "p")]
    [InlineData(true, "u")]
    public async Task Sessions_are_logged_unless_told_otherwise_and_keys_always_are(bool unlogged, string persistence)
    {
        await using var node = new PostgresNode(_server.ConnectionString, configure: options => options.Unlogged = unlogged);
        await node.WriteAsync(BackendHarness.Create(1));

        Assert.Equal(persistence, await _server.ScalarAsync<string>($"SELECT relpersistence::text FROM pg_class WHERE oid = '{node.Schema}.sessions'::regclass"));
        Assert.Equal("p", await _server.ScalarAsync<string>($"SELECT relpersistence::text FROM pg_class WHERE oid = '{node.Schema}.keys'::regclass"));
        Assert.False(await node.Store.IsReplicatedAsync(CancellationToken.None));
    }

    private static string NewSchema() => $"t_{Guid.NewGuid():N}";
}
