using System.Diagnostics;
using System.Text;
using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using StackExchange.Redis;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>Whatever lies where a record should be, each call ends at once, with what can be read or with "unreadable": nothing else is thrown, nobody else is held up, and the breaker has nothing to count. On both servers.</summary>
public abstract class HostileBackendTests : IAsyncLifetime, IAsyncDisposable
{
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly BackendHarness _backend;
    private readonly ManualTime _time = new();

    protected HostileBackendTests(BackendServer server) => _backend = BackendHarness.Apart(server.Server.ConnectionString);

    public Task InitializeAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Theory]
    [InlineData("p")]
    [InlineData("v")]
    [InlineData("s")]
    [InlineData("g")]
    [InlineData("a")]
    [InlineData("h")]
    public async Task Whatever_a_field_holds_the_session_can_be_used_or_is_unreadable(string field)
    {
        var database = await _backend.Connection.GetDatabaseAsync(CancellationToken.None);
        await _backend.WriteAsync(BackendHarness.Create(Payload())); // a bystander's
        var before = await FieldsAsync(database, _backend.KeyName);
        var value = (byte[])(await database.HashGetAsync(_backend.KeyName, field))!;
        var seed = field[0];
        foreach (var bytes in field == "p" ? HostileBytes.InPlaceOfPayload(value, seed) : HostileBytes.InPlaceOf(value, seed))
        {
            var key = SessionKey.Of(SessionId.Create());
            var create = BackendHarness.Create(Payload());
            await _backend.WriteAsync(create, key);
            await database.HashSetAsync(_backend.NameOf(key), field, bytes);
            var started = Stopwatch.GetTimestamp();

            await UseAsync(key, create);

            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(2), $"{Shown(bytes)} took {Stopwatch.GetElapsedTime(started)}");
        }

        Assert.Equal(before, await FieldsAsync(database, _backend.KeyName));
        Assert.Equal(SessionReadKind.Found, (await _backend.ReadAsync()).Kind);
    }

    [Fact]
    public async Task A_version_of_nothing_is_no_record_that_a_new_visitor_knows()
    {
        var database = await _backend.Connection.GetDatabaseAsync(CancellationToken.None);
        await _backend.WriteAsync(BackendHarness.Create(Payload()));
        await database.HashSetAsync(_backend.KeyName, [new HashEntry("v", "0"), new HashEntry("s", "0000000000000000")]);
        var before = await FieldsAsync(database, _backend.KeyName);

        Assert.Equal("Unreadable", await OutcomeAsync(async () => Name(await _backend.ReadAsync())));
        Assert.Equal("Unreadable", await OutcomeAsync(async () => (await _backend.WriteAsync(BackendHarness.Create(1))).Kind.ToString()));
        Assert.Equal(before, await FieldsAsync(database, _backend.KeyName));
    }

    [Fact]
    public async Task Whatever_the_directory_holds_the_beat_is_answered_with_those_who_can_be_read()
    {
        var database = await _backend.Connection.GetDatabaseAsync(CancellationToken.None);
        var key = _backend.Options.KeyPrefix + "nodes";
        var incarnation = Guid.NewGuid();
        var good = $$"""{"f":1,"s":"active","n":0,"b":3,"a":"10.0.0.1:80","t":"blue"}""";
        string[] records =
        [
            .. HostileBytes.InPlaceOf(Encoding.UTF8.GetBytes(good), seed: 7).Select(bytes => Encoding.Latin1.GetString(bytes)),
            """{"f":1,"s":"active","n":-5,"b":-1}""", """{"f":1,"s":"active","n":99999999999}""", """{"f":1,"s":null,"n":0}""", """{"f":1,"s":"active","n":0,"a":"x\r\nSet-Cookie: a=b"}""",
            """{"f":1,"s":"active","n":0,"t":"no such / name"}""", "[[[[[[[[", new string('[', 8000), $$"""{"f":1,"s":"active","n":0,"x":"{{new string('x', 7000)}}"}""", $$"""{"f":1,"s":"active","n":0,"x":"{{new string('x', 2_000_000)}}"}""",
        ];
        var head = $"{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()} {Guid.NewGuid():N} ";
        var number = 0;
        foreach (var record in records)
        {
            await database.HashSetAsync(key, $"n{number++}", head + record);
            await database.HashSetAsync(key, $"m{number}", record);
        }

        await database.HashSetAsync(key, "line\r\nbreak" + new string('y', 5000), head + good);
        await database.HashSetAsync(key, "!a", head + "drain");
        await database.HashSetAsync(key, "good", head + good);

        var beat = await _backend.Nodes.BeatAsync(new NodeRecord(NodeId.Parse("a"), incarnation, NodeState.Active, InFlight: 0), BackendHarness.Hour, CancellationToken.None);
        var again = await _backend.Nodes.BeatAsync(new NodeRecord(NodeId.Parse("a"), incarnation, NodeState.Active, InFlight: 0), BackendHarness.Hour, CancellationToken.None);

        Assert.Equal((true, true, true, null), (beat.Accepted, again.Accepted, again.Renewed, again.Wish));
        Assert.Contains(again.Live, node => node.Id == NodeId.Parse("good") && node is { Bound: 3, Track: "blue" });
        var line = Assert.Single(_backend.Logged, line => line.StartsWith("NodeRecordUnreadable", StringComparison.Ordinal));
        Assert.True(line.Length < 300 && !line.Trim().Contains('\n', StringComparison.Ordinal), line);
        Assert.InRange(await database.HashLengthAsync(key), 3, number + 6); // what is longer than any record may be is gone
    }

    [Fact]
    public async Task Whatever_the_rings_hold_the_keys_among_it_are_found()
    {
        var database = await _backend.Connection.GetDatabaseAsync(CancellationToken.None);
        var real = RingKey.Create(Noon.AddDays(-1), Noon.AddDays(-1));
        var bomb = """<!DOCTYPE k [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><key id="6f0e29a4-51a2-4c2e-9a53-6e2f2f1c7d10">&c;</key>""";
        RedisValue[] elements = [.. HostileBytes.InPlaceOf(Encoding.UTF8.GetBytes(real.ToElement()), seed: 3).Select(bytes => (RedisValue)bytes), bomb, real.ToElement()];
        foreach (var element in elements)
        {
            await database.ListRightPushAsync(_backend.Options.KeyPrefix + "keys:Signing", element);
        }

        var read = await _backend.Vault.ReadAsync("Signing", CancellationToken.None);
        var ring = SigningRing.Of(read);

        Assert.Equal(elements.Length, read.Count);
        Assert.Equal(real.Key.Id, ring.Signer(Noon)?.Id);
        Assert.Null(KeyElements.TryParse(bomb));
        Assert.All(read, element => KeyElements.TryParse(element));
    }

    [Fact]
    public async Task Whatever_is_said_on_the_channel_only_announcements_are_heard()
    {
        var heard = new List<string>();
        using var announcements = new RedisSessionAnnouncements(_backend.Connection, _backend.Options, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<RedisSessionAnnouncements>.Instance);
        var ready = new TaskCompletionSource();
        var last = SessionKey.Of(SessionId.Create());
        announcements.Listen((key, generation) =>
        {
            lock (heard)
            {
                heard.Add($"{key.Value} {generation}");
                if (key == last)
                {
                    ready.TrySetResult();
                }
            }
        });
        announcements.ListenForWanted(key => heard.Add($"{key.Value} ?"));
        var subscriber = await _backend.Connection.GetSubscriberAsync(CancellationToken.None);
        var channel = RedisSessionStore.ChannelOf(_backend.Options);
        while (await subscriber.PublishAsync(channel, "?") == 0)
        {
            await Task.Delay(10);
        }

        foreach (var bytes in HostileBytes.InPlaceOf(Encoding.ASCII.GetBytes($"{_backend.Key.Value} 1"), seed: 5).Where(bytes => !Encoding.ASCII.GetString(bytes).StartsWith(_backend.Key.Value + " ", StringComparison.Ordinal)))
        {
            await subscriber.PublishAsync(channel, bytes);
        }

        await subscriber.PublishAsync(channel, $"{last.Value} 7");
        await ready.Task.WaitAsync(TimeSpan.FromSeconds(10));

        // A key with another letter in it is a key, of a session that nobody has.
        Assert.All(heard.SkipLast(1), line => Assert.DoesNotContain(_backend.Key.Value, line, StringComparison.Ordinal));
        Assert.Equal($"{last.Value} 7", heard[^1]);
    }

    private async Task UseAsync(SessionKey key, SessionWrite create)
    {
        List<string> outcomes =
        [
            await OutcomeAsync(async () => await DecodedAsync(await _backend.ReadAsync(key: key), key)),
            await OutcomeAsync(async () => Name(await _backend.Store.ReadAsync(key, create.Next, CancellationToken.None))),
            await OutcomeAsync(async () => Name(await _backend.Store.ReadLatestAsync(key, create.Next, CancellationToken.None))),
            await OutcomeAsync(async () => (await _backend.WriteAsync(BackendHarness.Create(9), key)).Kind.ToString()),
            await OutcomeAsync(async () => (await _backend.Store.TouchAsync(key, BackendHarness.Hour, CancellationToken.None)).ToString()),
            await OutcomeAsync(async () => (await _backend.WriteAsync(BackendHarness.After(create.Next, Payload()), key)).Kind.ToString()),
        ];
        Assert.DoesNotContain(nameof(SessionStoreFault.Ambiguous), outcomes);
        Assert.DoesNotContain(nameof(SessionStoreFault.NotApplied), outcomes);
        await _backend.Store.DeleteAsync(key, BackendHarness.Hour, CancellationToken.None);
        Assert.Equal(SessionRead.Ended, await _backend.ReadAsync(key: key));
    }

    /// <summary>What is decoded can be written on, as a request would.</summary>
    private async Task<string> DecodedAsync(SessionRead read, SessionKey key)
    {
        if (read.Session is not { } stored)
        {
            return read.Kind.ToString();
        }

        var snapshot = SessionDecoder.Decode(stored, _time);
        Assert.True(snapshot.Expires >= snapshot.IdleUntil);
        SessionWrite.ThrowIfInvalid(new SessionWrite(snapshot.Version, snapshot.Version.Next(), snapshot.Generation + 1, default, BackendHarness.Hour, BackendHarness.Hour));
        var later = new SessionVersion(snapshot.Version.Counter + 3, 1);
        SessionWrite.ThrowIfInvalid(new SessionWrite(SessionVersion.None, later, 0, default, BackendHarness.Hour, BackendHarness.Hour) { Between = SessionHistory.Between(SessionVersion.None, snapshot.Writes, later) });
        return Name(await _backend.Store.ReadAsync(key, snapshot.Version, CancellationToken.None));
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

    private static string Name(SessionRead read) => read.Kind.ToString();

    private static byte[] Payload() => SessionCodec.Encode(Noon, Noon, new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["basket"] = "[1,2]"u8.ToArray(), ["name"] = "Ada"u8.ToArray() }, 1024);

    private static string Shown(byte[] bytes) => $"{bytes.Length} bytes {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 24)))}";

    private static async Task<string> FieldsAsync(IDatabase database, string name) =>
        string.Join(' ', (await database.HashGetAllAsync(name)).Select(entry => $"{entry.Name}={Convert.ToHexString((byte[])entry.Value!)}").Order(StringComparer.Ordinal));
}

[Collection("Redis backend")]
public sealed class RedisHostileRecordTests(RedisBackendServer server) : HostileBackendTests(server);

[Collection("Garnet backend")]
public sealed class GarnetHostileRecordTests(GarnetBackendServer server) : HostileBackendTests(server);
