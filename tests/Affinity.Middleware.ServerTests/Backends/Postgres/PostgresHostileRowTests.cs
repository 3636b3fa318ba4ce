using System.Globalization;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>Whatever lies where a row should be, by somebody who took the tables' own checks away: each call ends with what can be read or with "unreadable", and an ending always works.</summary>
[Collection("Postgres backend")]
public sealed class PostgresHostileRowTests(PostgresBackendServer group) : IAsyncLifetime, IAsyncDisposable
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly PostgresNode _node = new(group.Server.ConnectionString);
    private readonly ManualTime _time = new();

    public async Task InitializeAsync()
    {
        await _node.ReadAsync();
        await group.Server.ExecuteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            DO $$ DECLARE r record; BEGIN
              FOR r IN SELECT conname FROM pg_constraint WHERE conrelid = '{_node.Schema}.sessions'::regclass AND contype = 'c' LOOP EXECUTE 'ALTER TABLE {_node.Schema}.sessions DROP CONSTRAINT ' || quote_ident(r.conname); END LOOP;
              FOR r IN SELECT attname FROM pg_attribute WHERE attrelid = '{_node.Schema}.sessions'::regclass AND attnotnull AND attnum > 0 AND attname <> 'key' LOOP EXECUTE 'ALTER TABLE {_node.Schema}.sessions ALTER COLUMN ' || quote_ident(r.attname) || ' DROP NOT NULL'; END LOOP;
            END $$
            """));
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    [InlineData("version", @"'\x'")]
    [InlineData("version", "NULL")]
    [InlineData("version", @"'\x00000000000000000000000000000000'")]
    [InlineData("version", @"'\x00000000000000010000000000000000'")]
    [InlineData("version", @"'\x0102'")]
    [InlineData("version", @"'\xffffffffffffffffffffffffffffffff'")]
    [InlineData("version", "repeat('x', 100000)::bytea")]
    [InlineData("generation", "NULL")]
    [InlineData("generation", "-1")]
    [InlineData("generation", "2147483647")]
    [InlineData("generation_before", "NULL")]
    [InlineData("expires", "'9999-01-01'")]
    [InlineData("expires", "NULL")]
    [InlineData("absolute", "NULL")]
    [InlineData("absolute", "'infinity'")]
    [InlineData("absolute", "'-infinity'")]
    [InlineData("absolute", "'294276-01-01'")]
    [InlineData("absolute", "'0044-03-15 BC'")]
    [InlineData("ended", "NULL")]
    [InlineData("writes", "NULL")]
    [InlineData("writes", "''")]
    [InlineData("writes", @"'\x01'")]
    [InlineData("writes", "repeat('xyz', 100000)::bytea")]
    [InlineData("payload", "NULL")]
    [InlineData("payload", "''")]
    public async Task Whatever_a_column_holds_the_session_can_be_used_or_is_unreadable(string column, string value)
    {
        var create = BackendHarness.Create(Payload());
        await _node.WriteAsync(create);
        await group.Server.ExecuteAsync($"UPDATE {_node.Schema}.sessions SET {column} = {value}");

        await UseAsync(_node.Key, create);
    }

    [Fact]
    public async Task Whatever_a_payload_holds_the_session_can_be_used_or_is_unreadable()
    {
        foreach (var bytes in HostileBytes.InPlaceOfPayload(Payload(), seed: 'p'))
        {
            var (key, create) = (SessionKey.Of(SessionId.Create()), BackendHarness.Create(bytes));
            await _node.WriteAsync(create, key);

            await UseAsync(key, create);
        }
    }

    [Fact]
    public async Task A_directory_row_of_another_version_is_left_out_and_told_once()
    {
        await _node.ReadAsync();
        await group.Server.ExecuteAsync($"""
            INSERT INTO {_node.Schema}.nodes VALUES
              ('a', gen_random_uuid(), now() + interval '1 hour', NULL, 'dancing', 0, 0, NULL, NULL, false, 1), ('no such / name', gen_random_uuid(), now() + interval '1 hour', 'fly', 'active', 0, 0, NULL, NULL, false, 1),
              ('good', gen_random_uuid(), now() + interval '1 hour', NULL, 'active', 0, 3, NULL, 'blue', false, 1)
            """);
        var self = new NodeRecord(NodeId.Parse("self"), Guid.NewGuid(), NodeState.Active, InFlight: 0);

        var beat = await _node.Directory.BeatAsync(self, BackendHarness.Hour, CancellationToken.None);
        await _node.Directory.BeatAsync(self, BackendHarness.Hour, CancellationToken.None);

        Assert.Equal(["good", "self"], beat.Live.Select(node => node.Id.Value));
        Assert.Single(_node.Logged, line => line.StartsWith("PostgresNodeRecordUnreadable:", StringComparison.Ordinal));
    }

    private async Task UseAsync(SessionKey key, SessionWrite create)
    {
        List<string> outcomes =
        [
            await OutcomeAsync(async () => Decoded(await _node.ReadAsync(key: key))),
            await OutcomeAsync(async () => (await _node.Store.ReadAsync(key, create.Next, CancellationToken.None)).Kind.ToString()),
            await OutcomeAsync(async () => (await _node.Store.ReadLatestAsync(key, create.Next, CancellationToken.None)).Kind.ToString()),
            await OutcomeAsync(async () => (await _node.WriteAsync(BackendHarness.Create(9), key)).Kind.ToString()),
            await OutcomeAsync(async () => (await _node.Store.TouchAsync(key, BackendHarness.Hour, CancellationToken.None)).ToString()),
            await OutcomeAsync(async () => (await _node.WriteAsync(BackendHarness.After(create.Next, Payload()), key)).Kind.ToString()),
        ];
        Assert.DoesNotContain(nameof(SessionStoreFault.Ambiguous), outcomes);
        Assert.DoesNotContain(nameof(SessionStoreFault.NotApplied), outcomes);
        await _node.Store.DeleteAsync(key, BackendHarness.Hour, CancellationToken.None);
        Assert.Equal(SessionRead.Ended, await _node.ReadAsync(key: key));
    }

    private string Decoded(SessionRead read)
    {
        if (read.Session is { } stored)
        {
            var snapshot = SessionDecoder.Decode(stored, _time);
            SessionWrite.ThrowIfInvalid(new SessionWrite(snapshot.Version, snapshot.Version with { Counter = ulong.MaxValue, Stamp = 1 }, snapshot.Generation, default, BackendHarness.Hour, BackendHarness.Hour));
        }

        return read.Kind.ToString();
    }

    private static async Task<string> OutcomeAsync(Func<Task<string>> call)
    {
        try
        {
            return await call();
        }
        catch (SessionStoreException e)
        {
            return e.Fault.ToString();
        }
    }

    private static byte[] Payload() => SessionCodec.Encode(Noon, Noon, new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["basket"] = "[1,2]"u8.ToArray(), ["name"] = "Ada"u8.ToArray() }, 1024);
}
