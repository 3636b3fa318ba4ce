using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using StackExchange.Redis;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>What lies in the server, and what becomes of what should not lie there; on both servers.</summary>
public abstract class StoredRecordTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly RedisProtocolServer _server;
    private readonly BackendHarness _backend;
    private readonly Guid _incarnation = Guid.NewGuid();

    protected StoredRecordTests(BackendServer server)
    {
        _server = server.Server;
        _backend = BackendHarness.Apart(_server.ConnectionString);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _backend.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task Every_record_has_a_time_to_live_whatever_was_done_last()
    {
        var create = BackendHarness.Create(1);
        await _backend.WriteAsync(create);
        Assert.InRange(await TimeToLiveAsync(), 1, 3_600_000);
        await _backend.WriteAsync(BackendHarness.After(create.Next, 2));
        Assert.InRange(await TimeToLiveAsync(), 1, 3_600_000);
        await _backend.Store.TouchAsync(_backend.Key, TimeSpan.FromMinutes(1), CancellationToken.None);
        Assert.InRange(await TimeToLiveAsync(), 1, 60_000);
        await _backend.Store.DeleteAsync(_backend.Key, TimeSpan.FromMinutes(2), CancellationToken.None);
        Assert.InRange(await TimeToLiveAsync(), 1, 120_000);
    }

    [Fact]
    public async Task The_record_has_the_stated_fields_and_an_ending_keeps_no_payload()
    {
        var create = BackendHarness.Create(1, 2);
        await _backend.WriteAsync(create);
        Assert.Equal("a g h p s v", await FieldsAsync());

        await _backend.Store.DeleteAsync(_backend.Key, BackendHarness.Hour, CancellationToken.None);
        Assert.Equal("e", await FieldsAsync());
    }

    [Fact]
    public async Task A_foreign_type_under_the_key_is_unreadable_and_stays_as_it_is()
    {
        await _server.CommandAsync("SET", _backend.KeyName, "foreign");

        await AssertUnreadableAsync(() => _backend.ReadAsync());
        await AssertUnreadableAsync(() => _backend.WriteAsync(BackendHarness.Create(1)));
        Assert.Equal("foreign", (await _server.CommandAsync("GET", _backend.KeyName)).Text);
    }

    [Theory]
    [InlineData("v", "0")]
    [InlineData("v", "2:7")]
    [InlineData("v", "01")]
    [InlineData("v", "99999999999999999999")]
    [InlineData("v", "123456789012345678901")]
    [InlineData("s", "XYZ")]
    [InlineData("g", "-1")]
    [InlineData("g", "9999999999")]
    [InlineData("a", "")]
    [InlineData("a", "1e3")]
    [InlineData("p", null)]
    [InlineData("s", null)]
    public async Task A_damaged_field_is_unreadable_and_no_write_goes_over_it(string field, string? value)
    {
        var create = BackendHarness.Create(1);
        await _backend.WriteAsync(create);
        await _server.CommandAsync(value is null ? ["HDEL", _backend.KeyName, field] : ["HSET", _backend.KeyName, field, value]);

        await AssertUnreadableAsync(() => _backend.ReadAsync());
        await AssertUnreadableAsync(() => _backend.WriteAsync(BackendHarness.Create(2)));
    }

    [Fact]
    public async Task A_record_without_time_to_live_is_unreadable_and_a_deletion_heals_it()
    {
        await _backend.WriteAsync(BackendHarness.Create(1));
        await _server.CommandAsync("PERSIST", _backend.KeyName);
        await AssertUnreadableAsync(() => _backend.ReadAsync());

        await _backend.Store.DeleteAsync(_backend.Key, BackendHarness.Hour, CancellationToken.None);
        Assert.Equal(SessionRead.Ended, await _backend.ReadAsync());
    }

    [Theory]
    [InlineData("9007199254740993x", "00000000000000aa", "1", "1")]
    [InlineData("1", "00000000000000AA", "1", "1")]
    [InlineData("1", "00000000000000aa", "0", "1")]
    [InlineData("1", "00000000000000aa", "1", "-5")]
    [InlineData("1", "00000000000000aa", "1.5", "1")]
    [InlineData("1", "00000000000000aa", "9999999999999999", "1")]
    public async Task The_script_itself_refuses_wrong_arguments_before_it_writes(string counter, string stamp, string idle, string absolute)
    {
        var script = new RedisScript(RedisSessionScripts.Write);
        RedisValue[] arguments = ["0", "0000000000000000", counter, stamp, "0", idle, absolute, "payload", "16"];

        var exception = await Assert.ThrowsAsync<RedisServerException>(
            () => script.EvaluateAsync(_backend.Connection, _backend.KeyName, arguments, CancellationToken.None));

        Assert.Equal(SessionStoreFault.NotApplied, RedisFaults.Classify(exception));
        Assert.Equal("0", (await _server.CommandAsync("EXISTS", _backend.KeyName)).Text);
    }

    [Fact]
    public async Task The_Data_Protection_ring_is_the_plain_list_that_the_framework_uses()
    {
        Assert.True(await _backend.Vault.AppendAsync(RedisKeyVault.DataProtectionRing, "<key/>", 0, CancellationToken.None));

        Assert.Equal("[<key/>]", (await _server.CommandAsync("LRANGE", _backend.Options.DataProtectionKey, "0", "-1")).ToString());
        Assert.Equal("-1", (await _server.CommandAsync("PTTL", _backend.Options.DataProtectionKey)).Text);
    }

    [Fact]
    public async Task Other_rings_lie_under_the_prefix()
    {
        await _backend.Vault.AppendAsync("signing", "one", 0, CancellationToken.None);

        Assert.Equal("1", (await _server.CommandAsync("LLEN", _backend.Options.KeyPrefix + "keys:signing")).Text);
    }

    [Fact]
    public async Task The_directory_is_gone_with_its_last_node_and_lives_as_long_as_the_longest()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        await BeatAsync("a", TimeSpan.FromMinutes(10));
        await BeatAsync("b", TimeSpan.FromSeconds(5));

        Assert.InRange(long.Parse((await _server.CommandAsync("PTTL", key)).Text!, provider: null), 590_000, 600_000);
    }

    [Fact]
    public async Task A_newer_version_may_tell_more_and_a_foreign_format_is_left_out_and_told_once()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        var head = $"{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()} {Guid.NewGuid():N} ";
        await _server.CommandAsync("HSET", key, "more", head + """{"f":1,"s":"active","n":4,"t":"green","load":{"cpu":0.5}}""");
        await _server.CommandAsync("HSET", key, "next", head + """{"f":2,"what":"ever"}""");
        await _server.CommandAsync("HSET", key, "torn", head + """{"f":1,""");

        await BeatAsync("a", BackendHarness.Hour);
        var beat = await BeatAsync("a", BackendHarness.Hour);

        Assert.Equal("a more", string.Join(' ', beat.Live.Select(node => node.Id.Value)));
        Assert.Equal((4, "green"), (beat.Live[1].InFlight, beat.Live[1].Track));
        Assert.Single(_backend.Logged, line => line.StartsWith("NodeRecordUnreadable", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_wish_is_a_field_beside_the_nodes_with_its_time_and_incarnation()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        await BeatAsync("a", TimeSpan.FromMinutes(10));
        await _backend.Nodes.AskAsync(NodeId.Parse("a"), NodeWish.Drain, CancellationToken.None);
        var node = (await _server.CommandAsync("HGET", key, "a")).Text!.Split(' ');
        Assert.Equal($"{node[0]} {_incarnation:N} drain", (await _server.CommandAsync("HGET", key, "!a")).Text);
        Assert.Equal($$"""{"f":1,"s":"active","n":0}""", node[2]);

        await _backend.Nodes.AskAsync(NodeId.Parse("a"), NodeWish.Serve, CancellationToken.None);
        await BeatAsync("a", TimeSpan.FromMinutes(20));

        Assert.EndsWith($" {_incarnation:N} serve", (await _server.CommandAsync("HGET", key, "!a")).Text, StringComparison.Ordinal);
        Assert.InRange(long.Parse((await _server.CommandAsync("PTTL", key)).Text!, provider: null), 1_190_000, 1_200_000);
        Assert.Equal("2", (await _server.CommandAsync("HLEN", key)).Text);
        await _backend.Nodes.LeaveAsync(NodeId.Parse("a"), _incarnation, CancellationToken.None);
        Assert.Equal("0", (await _server.CommandAsync("EXISTS", key)).Text);
    }

    [Fact]
    public async Task A_wish_for_nobody_writes_nothing_and_one_for_a_node_keeps_the_time_to_live()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        Assert.False(await _backend.Nodes.AskAsync(NodeId.Parse("a"), NodeWish.Drain, CancellationToken.None));
        Assert.Equal("0", (await _server.CommandAsync("EXISTS", key)).Text);

        await BeatAsync("a", TimeSpan.FromSeconds(30));
        Assert.True(await _backend.Nodes.AskAsync(NodeId.Parse("a"), NodeWish.Drain, CancellationToken.None));
        Assert.False(await _backend.Nodes.AskAsync(NodeId.Parse("b"), NodeWish.Drain, CancellationToken.None));

        Assert.Equal("2", (await _server.CommandAsync("HLEN", key)).Text);
        Assert.InRange(long.Parse((await _server.CommandAsync("PTTL", key)).Text!, provider: null), 1, 30_000);
    }

    [Fact]
    public async Task What_is_left_of_a_dead_node_is_swept_away_wish_included()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        var dead = $"{DateTimeOffset.UtcNow.AddMilliseconds(-1).ToUnixTimeMilliseconds()} {Guid.NewGuid():N} ";
        await _server.CommandAsync("HSET", key, "a", dead + """{"f":1,"s":"active","n":4}""", "!a", dead + "drain", "!b", dead + "drain", "c", "garbage");

        await BeatAsync("a", BackendHarness.Hour);

        Assert.Equal("[a]", (await _server.CommandAsync("HKEYS", key)).ToString());
    }

    [Fact]
    public async Task A_word_of_a_later_version_is_no_wish_and_stays_for_those_who_know_it()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        await BeatAsync("a", BackendHarness.Hour);
        await _server.CommandAsync("HSET", key, "!a", $"{DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()} {_incarnation:N} maintain until=noon");

        Assert.Null((await BeatAsync("a", BackendHarness.Hour)).Wish);
        Assert.EndsWith(" maintain until=noon", (await _server.CommandAsync("HGET", key, "!a")).Text, StringComparison.Ordinal);
    }

    /// <summary>A time that is no number of milliseconds made PEXPIRE fail after the record had been written, for every node and for ever.</summary>
    [Fact]
    public async Task An_absurd_time_in_one_field_stops_nobodys_beat()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        await _server.CommandAsync("HSET", key, "torn", $"99999999999999999999999 {Guid.NewGuid():N} {{}}");

        Assert.Equal("a", Assert.Single((await BeatAsync("a", BackendHarness.Hour)).Live).Id.Value);
        Assert.InRange(long.Parse((await _server.CommandAsync("PTTL", key)).Text!, provider: null), 1, 3_600_000);
    }

    [Fact]
    public async Task The_scripts_of_the_directory_refuse_wrong_arguments_before_they_write()
    {
        var key = _backend.Options.KeyPrefix + "nodes";
        await BeatAsync("a", BackendHarness.Hour);
        (string Text, RedisValue[] Arguments)[] wrong =
        [
            (RedisNodeScripts.Beat, ["b", "not hex", "1000", "{}"]),
            (RedisNodeScripts.Beat, ["b", "ab", "0", "{}"]),
            (RedisNodeScripts.Beat, ["b", "ab", "1000"]),
            (RedisNodeScripts.Ask, ["a", ""]),
            (RedisNodeScripts.Ask, ["a"]),
        ];

        foreach (var (text, arguments) in wrong)
        {
            var exception = await Assert.ThrowsAsync<RedisServerException>(() => new RedisScript(text).EvaluateAsync(_backend.Connection, key, arguments, CancellationToken.None));
            Assert.Contains("BADARGUMENTS", exception.Message, StringComparison.Ordinal);
        }

        Assert.Equal("[a]", (await _server.CommandAsync("HKEYS", key)).ToString());
    }

    private async Task<NodeBeat> BeatAsync(string id, TimeSpan deadAfter) =>
        await _backend.Nodes.BeatAsync(new NodeRecord(NodeId.Parse(id), _incarnation, NodeState.Active, InFlight: 0), deadAfter, CancellationToken.None);

    private static async Task AssertUnreadableAsync<T>(Func<Task<T>> call)
    {
        var exception = await Assert.ThrowsAsync<SessionStoreException>(call);
        Assert.Equal(SessionStoreFault.Unreadable, exception.Fault);
    }

    private async Task<long> TimeToLiveAsync() => long.Parse((await _server.CommandAsync("PTTL", _backend.KeyName)).Text!, provider: null);

    private async Task<string> FieldsAsync() => string.Join(
        ' ', (await _server.CommandAsync("HKEYS", _backend.KeyName)).Items!.Select(item => item.Text).Order(StringComparer.Ordinal));
}

[Collection("Redis backend")]
public sealed class RedisRecordTests(RedisBackendServer server) : StoredRecordTests(server);

[Collection("Garnet backend")]
public sealed class GarnetRecordTests(GarnetBackendServer server) : StoredRecordTests(server);
