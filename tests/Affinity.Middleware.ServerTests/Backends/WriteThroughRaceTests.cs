using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>Redis over a database, on two nodes, with every call stopped where it hurts. No sleeps: each step waits for the one before.</summary>
[Collection("Redis backend")]
public sealed class WriteThroughRaceTests
{
    private readonly SessionKey _key = SessionKey.Of(SessionId.Create());
    private readonly MemorySessionStore _database = new(TimeProvider.System);
    private readonly string _prefix = $"t{Guid.NewGuid():N}:";
    private readonly RedisBackendServer _server;
    private readonly WriteThroughNode _one;
    private readonly WriteThroughNode _two;

    public WriteThroughRaceTests(RedisBackendServer server) => (_server, _one, _two) = (server, Node(server), Node(server));

    [Fact]
    public async Task What_one_node_writes_another_reads_without_the_database()
    {
        await WarmAsync();
        var second = await _one.WriteAsync(_key, await _one.WriteAsync(_key, default, 1), 2);

        Assert.Equal((second, false), await _two.WhereFromAsync(_key));
        Assert.Equal(SessionReadKind.Unchanged, (await _two.ReadAsync(_key, second)).Kind);
        Assert.Equal(0, _two.Database.Reads);
    }

    [Fact]
    public async Task A_miss_asks_the_database_once_and_the_cache_from_then_on()
    {
        await WarmAsync();
        var first = BackendHarness.Create(1);
        await _database.WriteAsync(_key, first, default);

        Assert.Equal((first.Next, true), await _one.WhereFromAsync(_key));
        Assert.Equal((first.Next, false), await _one.WhereFromAsync(_key));
        Assert.Equal((first.Next, false), await _two.WhereFromAsync(_key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_filler_that_was_stopped_between_read_and_fill_does_not_hide_what_was_committed_meanwhile(bool isHeld)
    {
        await WarmAsync();
        var first = BackendHarness.Create(1);
        await _database.WriteAsync(_key, first, default);
        if (isHeld)
        {
            await _one.ReadAsync(_key);
        }

        var confirming = Node(_server, TimeSpan.Zero);
        var (gate, reached, goOn) = GatedStore.Barrier();
        confirming.Database.AfterRead = gate;
        var filling = confirming.ReadAsync(_key);
        await reached;
        var second = await _two.WriteAsync(_key, first.Next, 2);
        goOn.SetResult();

        Assert.Equal(first.Next, (await filling).Session!.Version);
        Assert.Equal(second, (await _one.ReadAsync(_key)).Session!.Version);
        Assert.Equal(second, (await _two.ReadAsync(_key)).Session!.Version);
    }

    [Fact]
    public async Task A_filler_that_was_stopped_does_not_bring_back_what_was_ended_meanwhile()
    {
        await WarmAsync();
        await _database.WriteAsync(_key, BackendHarness.Create(1), default);
        var (gate, reached, goOn) = GatedStore.Barrier();
        _one.Database.AfterRead = gate;
        var filling = _one.ReadAsync(_key);
        await reached;
        await _two.Store.DeleteAsync(_key, BackendHarness.Hour, default);
        goOn.SetResult();
        await filling;

        Assert.Equal(SessionRead.Ended, await _one.ReadAsync(_key));
        Assert.Equal(SessionRead.Ended, await _two.ReadAsync(_key));
    }

    [Fact]
    public async Task When_the_cache_was_not_told_of_a_write_who_knows_it_is_not_served_the_older_copy()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        var unheard = BackendHarness.After(first, 2);
        await _database.WriteAsync(_key, unheard, default); // as of a node that lost its cache just then

        Assert.Equal(first, (await _two.ReadAsync(_key)).Session!.Version);
        Assert.Equal(SessionReadKind.Unchanged, (await _two.ReadAsync(_key, unheard.Next)).Kind);
        Assert.Equal(unheard.Next, (await _two.ReadAsync(_key)).Session!.Version);
    }

    [Fact]
    public async Task When_the_cache_was_not_told_of_a_write_the_database_is_the_latest_word_and_heals_the_cache()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        var unheard = BackendHarness.After(first, 2);
        await _database.WriteAsync(_key, unheard, default);

        Assert.Equal(unheard.Next, (await _two.Store.ReadLatestAsync(_key, default, default)).Session!.Version);
        Assert.Equal((unheard.Next, false), await _one.WhereFromAsync(_key));
    }

    [Fact]
    public async Task When_the_cache_was_not_told_of_a_write_whoever_has_seen_it_is_answered_by_the_database()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        var unheard = BackendHarness.After(first, 2);
        await _database.WriteAsync(_key, unheard, default);

        Assert.Equal(first, (await _two.Store.ReadAtLeastAsync(_key, default, first, default)).Session!.Version);
        Assert.Equal(unheard.Next, (await _two.Store.ReadAtLeastAsync(_key, default, unheard.Next, default)).Session!.Version);
        Assert.Equal((unheard.Next, false), await _one.WhereFromAsync(_key));
    }

    [Fact]
    public async Task When_the_cache_was_not_told_of_an_ending_it_is_refused_once_the_copy_is_as_old_as_it_may_be()
    {
        await WarmAsync();
        await _one.WriteAsync(_key, default, 1);
        await _database.DeleteAsync(_key, BackendHarness.Hour, default);
        var served = await _two.ReadAsync(_key);

        Assert.Equal(SessionReadKind.Found, served.Kind);
        Assert.InRange(served.Session!.Age, TimeSpan.Zero, TimeSpan.FromSeconds(30));
        Assert.Equal(SessionRead.Ended, await Node(_server, TimeSpan.Zero).ReadAsync(_key));
        Assert.Equal(SessionRead.Ended, await _two.ReadAsync(_key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task When_the_reply_to_a_write_was_lost_no_node_is_served_what_may_be_older(bool arrived)
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        var write = BackendHarness.After(first, 2);
        if (arrived)
        {
            _one.Database.AfterChange = GatedStore.Lose;
        }
        else
        {
            _one.Database.BeforeChange = GatedStore.Lose;
        }

        await Assert.ThrowsAsync<SessionStoreException>(async () => await _one.Store.WriteAsync(_key, write, default));

        var now = arrived ? write.Next : first;
        Assert.Equal((now, true), await _two.WhereFromAsync(_key));
        for (var read = await _two.WhereFromAsync(_key); read.AskedDatabase; read = await _two.WhereFromAsync(_key))
        {
            Assert.Equal(now, read.Version); // asked in the millisecond of the doubt, which settles nothing
        }

        (_one.Database.BeforeChange, _one.Database.AfterChange) = (() => Task.CompletedTask, () => Task.CompletedTask);
        Assert.Equal(SessionWriteKind.Written, (await _one.Store.WriteAsync(_key, write, default)).Kind);
        Assert.Equal(write.Next, (await _two.ReadAsync(_key)).Session!.Version);
    }

    [Fact]
    public async Task When_the_reply_to_an_ending_was_lost_the_database_says_what_became_of_it()
    {
        await WarmAsync();
        await _one.WriteAsync(_key, default, 1);
        _one.Database.AfterChange = GatedStore.Lose;
        await Assert.ThrowsAsync<SessionStoreException>(async () => await _one.Store.DeleteAsync(_key, BackendHarness.Hour, default));

        Assert.Equal(SessionRead.Ended, await _two.ReadAsync(_key));
    }

    [Fact]
    public async Task A_database_that_lost_its_last_writes_is_believed_when_its_primary_says_so()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        await _one.WriteAsync(_key, await _one.WriteAsync(_key, first, 2), 3);
        var failedOver = new MemorySessionStore(TimeProvider.System);
        await failedOver.WriteAsync(_key, BackendHarness.Create(1) with { Next = first }, default);
        var after = new WriteThroughNode(failedOver, _server.Connection, _prefix, TimeSpan.Zero);
        var patient = new WriteThroughNode(failedOver, _server.Connection, _prefix);

        Assert.Equal(first, (await after.ReadAsync(_key)).Session!.Version);
        Assert.Equal(2, after.Database.Reads);
        Assert.Equal((first, false), await patient.WhereFromAsync(_key));
        var other = await patient.WriteAsync(_key, first, 9);
        Assert.Equal((other, false), await patient.WhereFromAsync(_key));
    }

    [Fact]
    public async Task A_copy_of_a_history_that_the_database_gave_up_goes_with_the_next_write()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        await _one.WriteAsync(_key, await _one.WriteAsync(_key, first, 2), 3);
        var failedOver = new MemorySessionStore(TimeProvider.System);
        await failedOver.WriteAsync(_key, BackendHarness.Create(1) with { Next = first }, default);
        var after = new WriteThroughNode(failedOver, _server.Connection, _prefix);
        var second = await after.WriteAsync(_key, first, 9);

        Assert.Equal(second, (await after.ReadAsync(_key)).Session!.Version);
    }

    [Fact]
    public async Task A_database_that_forgot_a_session_is_believed_and_so_is_one_that_ended_it()
    {
        await WarmAsync();
        await _one.WriteAsync(_key, default, 1);
        var empty = new WriteThroughNode(new MemorySessionStore(TimeProvider.System), _server.Connection, _prefix, TimeSpan.Zero);

        Assert.Equal(SessionRead.Absent, await empty.ReadAsync(_key));
        Assert.True((await _two.WhereFromAsync(_key)).AskedDatabase);
    }

    [Fact]
    public async Task A_copy_that_is_confirmed_is_not_sent_again()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1, 2, 3);
        var confirming = Node(_server, TimeSpan.Zero);

        var read = await confirming.ReadAsync(_key);

        Assert.Equal((SessionReadKind.Found, first, 1), (read.Kind, read.Session!.Version, confirming.Database.Reads));
        Assert.Equal([1, 2, 3], read.Session.Payload.ToArray());
        Assert.Equal([first], read.Session.Writes);
        Assert.Equal(SessionReadKind.Unchanged, (await confirming.ReadAsync(_key, first)).Kind);
    }

    [Fact]
    public async Task Who_reads_after_a_write_of_this_node_is_not_told_what_was_asked_before_it()
    {
        await WarmAsync();
        var first = BackendHarness.Create(1);
        await _database.WriteAsync(_key, first, default);
        var node = Node(_server, TimeSpan.Zero);
        var (gate, reached, goOn) = GatedStore.Barrier();
        node.Database.AfterRead = gate;
        var before = node.ReadAsync(_key);
        await reached;
        var second = await node.WriteAsync(_key, first.Next, 2);
        var after = await node.ReadAsync(_key);
        goOn.SetResult();
        await before;

        Assert.Equal(second, after.Session!.Version);
    }

    [Fact]
    public async Task While_the_database_is_away_copies_are_read_whatever_their_age_and_the_rest_is_a_fault()
    {
        await WarmAsync();
        var first = await _one.WriteAsync(_key, default, 1);
        var ended = SessionKey.Of(SessionId.Create());
        await _one.Store.DeleteAsync(ended, BackendHarness.Hour, default);
        var node = Node(_server, TimeSpan.Zero);
        node.Database.BeforeRead = node.Database.BeforeChange = GatedStore.Lose;

        Assert.Equal(first, (await node.ReadAsync(_key)).Session!.Version);
        Assert.Equal(first, (await node.ReadAsync(_key)).Session!.Version);
        Assert.Equal(SessionRead.Ended, await node.ReadAsync(ended));
        Assert.Equal(SessionReadKind.Unchanged, (await node.ReadAsync(_key, first)).Kind);
        await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync(SessionKey.Of(SessionId.Create())));
        await Assert.ThrowsAsync<SessionStoreException>(async () => await node.Store.ReadLatestAsync(_key, default, default));
        await Assert.ThrowsAsync<SessionStoreException>(() => node.WriteAsync(_key, first, 2));
        Assert.Equal(first, (await node.ReadAsync(_key)).Session!.Version); // in doubt, and all that there is
        Assert.True(node.Database.Reads <= 3, $"The database was asked {node.Database.Reads} times.");
    }

    [Fact]
    public async Task Where_it_is_to_be_an_error_a_copy_that_is_too_old_is_not_read_without_the_database()
    {
        await WarmAsync();
        await _one.WriteAsync(_key, default, 1);
        var strict = new WriteThroughNode(_database, _server.Connection, _prefix, TimeSpan.Zero, servesInOutage: false);
        strict.Database.BeforeRead = GatedStore.Lose;

        await Assert.ThrowsAsync<SessionStoreException>(() => strict.ReadAsync(_key));
    }

    /// <summary>A node's first answer of the cache tells it the cache's time, without which what it fills is confirmed at the next read.</summary>
    private async Task WarmAsync()
    {
        foreach (var node in (WriteThroughNode[])[_one, _two])
        {
            await node.Cache.ReadAsync(_key, default, default);
        }
    }

    private WriteThroughNode Node(RedisBackendServer server, TimeSpan? maxAge = null) => new(_database, server.Connection, _prefix, maxAge);
}
