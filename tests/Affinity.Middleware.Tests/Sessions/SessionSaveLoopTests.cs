using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tickets;
using Affinity.TestKit;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Sessions;

public sealed class SessionSaveLoopTests
{
    private readonly ManualTime _time = new();
    private readonly SessionId _id = SessionId.Create();
    private readonly SessionsOptions _options = new();
    private readonly MemorySessionStore _memory;
    private readonly FaultyStore _store;
    private readonly SessionSaveLoop _loop;

    public SessionSaveLoopTests()
    {
        _memory = new MemorySessionStore(_time);
        _store = new FaultyStore(_memory);
        _loop = Node();
    }

    private SessionSnapshot Nothing => SessionSnapshot.Empty(_time.GetUtcNow(), _options.AbsoluteTimeout);

    [Fact]
    public async Task Two_requests_that_started_from_the_same_state_both_keep_their_keys()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("basket", 1));

        await SavedAsync(_loop, start, Sets("x", 1));
        var last = await SavedAsync(Node(), start, Sets("y", 2));

        Assert.Equal(["basket", "x", "y"], last.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(3u, last.Version.Counter);
    }

    [Fact]
    public async Task A_save_whose_reply_was_lost_takes_effect_once()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.AfterWrite = (number, _) => number == 2 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask;

        var saved = await SavedAsync(_loop, start, Increments("n"));

        Assert.Equal(2, saved.Items["n"].Single());
        Assert.Equal(2, (await StoredAsync()).Items["n"].Single());
    }

    [Fact]
    public async Task A_save_that_was_lost_on_the_way_is_given_again()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.BeforeWrite = (number, _) => number == 2 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask;

        await SavedAsync(_loop, start, Increments("n"));

        Assert.Equal(2, (await StoredAsync()).Items["n"].Single());
    }

    [Fact]
    public async Task A_save_whose_reply_was_lost_and_on_which_others_built_is_not_applied_again()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.AfterWrite = async (number, _) =>
        {
            if (number == 2)
            {
                await OthersIncrementAsync(SessionWrite.RememberedWrites - 1);
                throw FaultyStore.Ambiguous();
            }
        };

        var saved = await SavedAsync(_loop, start, Increments("n"));

        Assert.Equal(2 + SessionWrite.RememberedWrites - 1, saved.Items["n"].Single());
        Assert.Equal(2 + SessionWrite.RememberedWrites - 1, (await StoredAsync()).Items["n"].Single());
    }

    [Fact]
    public async Task An_update_that_cannot_be_told_to_be_saved_is_an_error_and_not_applied_twice()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.AfterWrite = async (number, _) =>
        {
            if (number == 2)
            {
                await OthersIncrementAsync(SessionWrite.RememberedWrites + 1);
                throw FaultyStore.Ambiguous();
            }
        };

        var e = await Assert.ThrowsAsync<SessionStoreException>(() => SavedAsync(_loop, start, Increments("n")));

        Assert.Equal(SessionStoreFault.Ambiguous, e.Fault);
        Assert.Equal(2 + SessionWrite.RememberedWrites + 1, (await StoredAsync()).Items["n"].Single());
    }

    [Fact]
    public async Task A_save_that_stays_unknown_twice_is_an_error()
    {
        _store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();

        await Assert.ThrowsAsync<SessionStoreException>(() => SavedAsync(_loop, Nothing, Sets("n", 1)));

        Assert.Equal(2, _store.Writes);
    }

    [Fact]
    public async Task A_second_try_that_is_refused_leaves_the_first_unknown()
    {
        _store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();
        _store.BeforeWrite = (number, _) => number == 2 ? throw FaultyStore.NotApplied() : ValueTask.CompletedTask;

        var e = await Assert.ThrowsAsync<SessionStoreException>(() => SavedAsync(_loop, Nothing, Sets("n", 1)));

        Assert.Equal(SessionStoreFault.Ambiguous, e.Fault);
    }

    [Fact]
    public async Task A_session_that_was_abandoned_meanwhile_does_not_come_back()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        await _memory.DeleteAsync(SessionKey.Of(_id), TimeSpan.FromHours(1), default);

        var result = await _loop.SaveAsync(_id, start, Sets("n", 2));

        Assert.Equal((null, SessionEnding.Abandoned), (result.Saved, result.Ending));
        Assert.Equal(SessionReadKind.Ended, (await _memory.ReadAsync(SessionKey.Of(_id), default, default)).Kind);
    }

    [Fact]
    public async Task A_session_that_the_store_lost_meanwhile_is_told_and_not_made_anew()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _time.Advance(_options.AbsoluteTimeout);

        var result = await _loop.SaveAsync(_id, start, Sets("n", 2));

        Assert.Equal((null, SessionEnding.Lost), (result.Saved, result.Ending));
    }

    [Fact]
    public async Task A_request_that_began_before_a_sign_in_cannot_save_after_it()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("basket", 1));
        var signIn = Sets("user", 7);
        signIn.RaisesGeneration = true;
        _time.Advance(TimeSpan.FromMinutes(1));
        var renewed = await SavedAsync(_loop, start, signIn);

        var slow = await _loop.SaveAsync(_id, start, Sets("basket", 2));

        Assert.Equal((1, _time.GetUtcNow()), (renewed.Generation, renewed.Renewed));
        Assert.Equal((null, SessionEnding.Superseded), (slow.Saved, slow.Ending));
        Assert.Equal(1, (await StoredAsync()).Items["basket"].Single());
    }

    [Fact]
    public async Task A_save_whose_reply_was_lost_and_on_which_a_sign_in_built_does_not_hand_out_the_new_generation()
    {
        // The visitor (or who copied the ticket) proved the old generation only: a ticket of the new one would undo the renewal.
        var start = await SavedAsync(_loop, Nothing, Sets("basket", 1));
        _store.AfterWrite = async (number, _) =>
        {
            if (number == 2)
            {
                var signIn = Sets("user", 7);
                signIn.RaisesGeneration = true;
                await SavedAsync(new SessionSaveLoop(_memory, new NearCache(_options, _time), _options, _time, TestMetrics.Create()), await StoredAsync(), signIn);
                throw FaultyStore.Ambiguous();
            }
        };

        var slow = await _loop.SaveAsync(_id, start, Sets("x", 1));

        Assert.Equal((null, SessionEnding.Superseded), (slow.Saved, slow.Ending));
        Assert.Equal(1, (await StoredAsync()).Items["x"].Single());
    }

    [Fact]
    public async Task A_sign_in_whose_reply_was_lost_and_on_which_others_built_is_saved()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.AfterWrite = async (number, _) =>
        {
            if (number == 2)
            {
                await OthersIncrementAsync(1);
                throw FaultyStore.Ambiguous();
            }
        };
        var signIn = Sets("user", 7);
        signIn.RaisesGeneration = true;

        var saved = await SavedAsync(_loop, start, signIn);

        Assert.Equal((1, 2), (saved.Generation, saved.Items["n"].Single()));
    }

    [Fact]
    public async Task A_first_try_that_arrives_after_the_second_changes_nothing_more()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        Func<ValueTask<SessionWriteResult>>? late = null;
        var delayed = new DelayedFirstWrite(_memory, resend => late = resend);
        var loop = new SessionSaveLoop(delayed, new NearCache(_options, _time), _options, _time, TestMetrics.Create());
        await SavedAsync(loop, start, Increments("n"));
        Assert.Equal(SessionWriteKind.Written, (await late!()).Kind);
        await OthersIncrementAsync(3);

        Assert.Equal(SessionWriteKind.Superseded, (await late()).Kind);
        Assert.Equal(5, (await StoredAsync()).Items["n"].Single());
        await _memory.DeleteAsync(SessionKey.Of(_id), TimeSpan.FromHours(1), default);
        Assert.Equal(SessionWriteKind.Ended, (await late()).Kind);
    }

    [Fact]
    public async Task An_update_function_that_throws_on_the_newer_value_saves_nothing_and_lets_the_next_in()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        await SavedAsync(Node(), start, Sets("n", 200));
        var picky = new SessionDelta();
        picky.Update("n", [1], old => old![0] > 100 ? throw new InvalidOperationException("too many") : [2]);

        await Assert.ThrowsAsync<InvalidOperationException>(() => SavedAsync(_loop, start, picky));

        Assert.Equal(200, (await StoredAsync()).Items["n"].Single());
        Assert.Equal(3u, (await SavedAsync(_loop, start, Sets("x", 1))).Version.Counter);
    }

    [Fact]
    public async Task Clear_Remove_Set_and_Update_merge_as_if_one_request_came_after_the_other()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("a", 1));
        await SavedAsync(_loop, start, Sets("b", 2));
        var delta = new SessionDelta();
        delta.Update("c", current: null, old => [(byte)((old?[0] ?? 0) + 1)]);
        delta.Clear();
        delta.Update("a", current: null, old => [(byte)((old?[0] ?? 0) + 10)]);
        delta.Set("d", [4]);
        delta.Remove("d");

        var saved = await SavedAsync(Node(), start, delta);

        Assert.Equal(["a"], saved.Items.Keys);
        Assert.Equal(10, saved.Items["a"].Single());
    }

    [Fact]
    public async Task A_snapshot_that_is_handed_on_is_never_changed_by_who_gets_it()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        var allAreThere = new TaskCompletionSource();
        _store.BeforeWrite = async (_, _) => await allAreThere.Task;
        var saves = Enumerable.Range(0, 10).Select(i => SavedAsync(_loop, start, Sets("k" + i, 1))).ToList();
        allAreThere.SetResult();

        var saved = await Task.WhenAll(saves);

        Assert.Single(start.Items);
        Assert.Equal(Enumerable.Range(2, 10), saved.Select(one => one.Items.Count));
    }

    [Fact]
    public async Task A_session_of_exactly_the_limit_is_saved_and_one_byte_more_is_not()
    {
        const int Overhead = 1 + 8 + 8 + 4 + 2 + 4 + 1;
        var exact = new SessionDelta();
        exact.Set("k", new byte[_options.MaxBytes - Overhead]);
        var start = await SavedAsync(_loop, Nothing, exact);
        var more = new SessionDelta();
        more.Set("k", new byte[_options.MaxBytes - Overhead + 1]);

        var e = await Assert.ThrowsAsync<SessionTooLargeException>(() => SavedAsync(_loop, start, more));

        Assert.Equal((_options.MaxBytes + 1L, _options.MaxBytes), (e.Size, e.Limit));
    }

    [Fact]
    public async Task The_absolute_limit_stays_where_it_was_however_many_nodes_merge()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        var end = start.Expires;
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(TimeSpan.FromMinutes(15));
            start = await SavedAsync(Node(), start, Sets("k" + i, 1));
        }

        Assert.Equal(end, (await StoredAsync()).Expires);
        Assert.Equal(end, start.Expires);
    }

    [Fact]
    public async Task A_store_that_lost_a_sign_in_is_brought_back_to_the_generation_that_the_visitor_proves()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        var change = Sets("n", 2);
        change.GenerationFloor = 3;

        var saved = await SavedAsync(_loop, start, change);
        var signIn = Sets("n", 3);
        (signIn.GenerationFloor, signIn.RaisesGeneration) = (3, true);

        Assert.Equal(3, saved.Generation);
        Assert.Equal(4, (await SavedAsync(_loop, saved, signIn)).Generation);
    }

    [Fact]
    public async Task Saves_that_queue_on_one_node_cost_one_trip_each()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 0));

        var allAreThere = new TaskCompletionSource();
        _store.BeforeWrite = async (_, _) => await allAreThere.Task;

        var saves = Enumerable.Range(0, 50).Select(i => SavedAsync(_loop, start, Sets("k" + i, 1))).ToList();
        allAreThere.SetResult();
        await Task.WhenAll(saves);

        Assert.Equal(51, (await StoredAsync()).Items.Count);
        Assert.Equal(51, _store.Writes);
    }

    [Fact]
    public async Task A_save_ends_within_ten_calls_time_however_long_the_line()
    {
        _store.BeforeWrite = async (_, token) => await Task.Delay(Timeout.Infinite, token);
        var saves = Enumerable.Range(0, 3).Select(i => SavedAsync(_loop, Nothing, Sets("k" + i, 1))).ToList();

        _time.Advance(_options.StoreTimeout * 10);

        var faults = await Task.WhenAll(saves.Select(save => Assert.ThrowsAsync<SessionStoreException>(() => save)));
        Assert.Equal([SessionStoreFault.Ambiguous, SessionStoreFault.NotApplied, SessionStoreFault.NotApplied], faults.Select(fault => fault.Fault));
    }

    /// <summary>
    /// A thousand parallel updates over three nodes had made 934: a node with a line of saves always knew the newest version and won every race, one that had to learn of it by losing gave up after 64 of them,
    /// and what it gave up was taken for a store that is away, and journaled.
    /// </summary>
    [Fact]
    public async Task A_node_with_one_save_gets_its_turn_beside_a_node_with_a_long_line()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 0));
        _store.BeforeWrite = async (_, token) => await Task.Delay(TimeSpan.FromMilliseconds(1), _time, token);
        _store.AfterWrite = _store.BeforeWrite;

        var (line, lone, waiting) = Race(start, 200);

        Assert.InRange(waiting, 1, 195);
        Assert.All(await Task.WhenAll([.. line, lone]), result => Assert.NotNull(result.Saved));
        Assert.Equal(201, (await StoredAsync()).Items["n"].Single());
    }

    private (List<Task<SessionSaveResult>> Line, Task<SessionSaveResult> Lone, int Waiting) Race(SessionSnapshot start, int length)
    {
        var line = Enumerable.Range(0, length).Select(_ => _loop.SaveAsync(_id, start, Increments("n")).AsTask()).ToList();
        PassUntil(() => line.Count(save => save.IsCompleted) >= 5, lone: null);
        var lone = Node().SaveAsync(_id, start, Increments("n")).AsTask();
        PassUntil(() => lone.IsCompleted, lone);
        var waiting = line.Count(save => !save.IsCompleted);
        PassUntil(() => line.TrueForAll(save => save.IsCompleted), lone);
        return (line, lone, waiting);

        void PassUntil(Func<bool> isOver, Task? lone)
        {
            for (var milliseconds = 0; !isOver(); milliseconds++)
            {
                Assert.InRange(milliseconds, 0, 20_000);
                _time.Advance(TimeSpan.FromMilliseconds(1));
                Assert.True(SpinWait.SpinUntil(() => _time.ArmedTimers == Resting(line) + Resting(lone is null ? [] : [lone]), TimeSpan.FromSeconds(10)));
            }
        }

        // The limit of each save, and what the first in line waits for.
        static int Resting(IReadOnlyList<Task> saves) => saves.Count(save => !save.IsCompleted) is > 0 and var unfinished ? unfinished + 1 : 0;
    }

    /// <param name="milliseconds">For how long each write is under way: with 0 the time is over while the save rests, else while it writes.</param>
    /// <param name="fault">What is known then.</param>
    [Theory]
    [InlineData(0, SessionStoreFault.NotApplied)]
    [InlineData(700, SessionStoreFault.Ambiguous)]
    public async Task A_save_that_others_beat_all_the_time_is_refused_and_the_store_is_not_taken_for_away(int milliseconds, SessionStoreFault fault)
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        _store.BeforeWrite = async (_, token) =>
        {
            await OthersIncrementAsync(1);
            await (milliseconds == 0 ? Task.CompletedTask : Task.Delay(TimeSpan.FromMilliseconds(milliseconds), _time, token));
        };
        var save = _loop.SaveAsync(_id, start, Increments("n")).AsTask();

        while (!save.IsCompleted)
        {
            await Task.WhenAny(save, _time.WaitForArmedTimersAsync(2)); // its limit, and its pause or trip
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }

        var thrown = await Assert.ThrowsAsync<SessionStoreException>(() => save);
        Assert.Equal((fault, true), (thrown.Fault, thrown.IsContention));
        Assert.Contains("Too many requests", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_session_over_its_limit_is_refused_and_the_old_one_stays()
    {
        var start = await SavedAsync(_loop, Nothing, Sets("n", 1));
        var large = new SessionDelta();
        large.Set("picture", new byte[_options.MaxBytes]);

        await Assert.ThrowsAsync<SessionTooLargeException>(() => SavedAsync(_loop, start, large));

        Assert.Equal(["n"], (await StoredAsync()).Items.Keys);
    }

    [Fact]
    public void Parallel_saves_on_several_nodes_lose_nothing_whatever_the_order()
    {
        // Pairs of (node, key): key 0 is a counter that everybody increments, the others are set by one request each.
        var saves = Gen.ListOf(Gen.Zip(Gen.Choose(0, 2), Gen.Choose(0, 1))).Where(list => list.Count is > 1 and < 40);
        Prop.ForAll(Arb.From(saves), plan => MergeAsync([.. plan]).GetAwaiter().GetResult()).Check(Config.QuickThrowOnFailure.WithMaxTest(60));
    }

    private static async Task<bool> MergeAsync((int Node, int Kind)[] plan)
    {
        var test = new SessionSaveLoopTests();
        var turns = new SemaphoreSlim(1, 1);
        test._store.BeforeWrite = async (_, token) =>
        {
            await turns.WaitAsync(token); // forces other requests in between
            await Task.Yield();
            turns.Release();
        };
        var start = await test.SavedAsync(test._loop, test.Nothing, Sets("n", 0));
        var nodes = new[] { test.Node(TimeProvider.System), test.Node(TimeProvider.System), test.Node(TimeProvider.System) };
        await Task.WhenAll(plan.Select((save, i) => Task.Run(() =>
            test.SavedAsync(nodes[save.Node], start, save.Kind == 0 ? Increments("n") : Sets("k" + i, (byte)i)))));
        var stored = await test.StoredAsync();
        return stored.Items["n"][0] == plan.Count(save => save.Kind == 0)
            && plan.Index().All(save => save.Item.Kind == 0 || stored.Items["k" + save.Index][0] == save.Index)
            && stored.Version.Counter == (ulong)plan.Length + 1;
    }

    private SessionSaveLoop Node(TimeProvider? time = null) => new(_store, new NearCache(_options, time ?? _time), _options, time ?? _time, TestMetrics.Create());

    private async Task<SessionSnapshot> SavedAsync(SessionSaveLoop node, SessionSnapshot start, SessionDelta delta)
    {
        var result = await node.SaveAsync(_id, start, delta);
        Assert.NotNull(result.Saved);
        return result.Saved;
    }

    private async Task OthersIncrementAsync(int times)
    {
        var others = new SessionSaveLoop(_memory, new NearCache(_options, _time), _options, _time, TestMetrics.Create());
        for (var i = 0; i < times; i++)
        {
            await SavedAsync(others, await StoredAsync(), Increments("n"));
        }
    }

    private async Task<SessionSnapshot> StoredAsync() =>
        SessionDecoder.Decode((await _memory.ReadAsync(SessionKey.Of(_id), SessionVersion.None, default)).Session!, _time);

    private static SessionDelta Sets(string key, byte value)
    {
        var delta = new SessionDelta();
        delta.Set(key, [value]);
        return delta;
    }

    private static SessionDelta Increments(string key)
    {
        var delta = new SessionDelta();
        delta.Update(key, current: null, old => [(byte)((old?[0] ?? 0) + 1)]);
        return delta;
    }

    /// <summary>Loses the first write on the way and lets the test deliver it late.</summary>
    private sealed class DelayedFirstWrite(ISessionStore inner, Action<Func<ValueTask<SessionWriteResult>>> keep) : ISessionStore
    {
        private bool _lost;

        public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => inner.ReadAsync(key, known, cancellationToken);

        public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
        {
            if (_lost)
            {
                return inner.WriteAsync(key, write, cancellationToken);
            }

            _lost = true;
            keep(() => inner.WriteAsync(key, write, CancellationToken.None));
            throw FaultyStore.Ambiguous();
        }

        public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => inner.TouchAsync(key, idle, cancellationToken);

        public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => inner.DeleteAsync(key, remember, cancellationToken);
    }
}
