using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using static Affinity.Tests.Sessions.NearCaching.NearSample;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>When a node answers from memory, when it asks the store, and how often.</summary>
public sealed class SessionLoaderTests
{
    private readonly ManualTime _time = new();
    private readonly SessionId _id = SessionId.Create();
    private readonly SessionsOptions _options = Options();
    private readonly MemorySessionStore _memory;
    private readonly SlowStore _store;
    private readonly NearCache _near;
    private readonly SessionLoader _loader;

    public SessionLoaderTests()
    {
        _memory = new MemorySessionStore(_time);
        _store = new SlowStore(_memory);
        _near = new NearCache(_options, _time);
        _loader = Loader(_store, _near, _options, _time);
    }

    private SessionKey Key => SessionKey.Of(_id);

    [Fact]
    public async Task What_the_node_remembers_is_served_without_the_store()
    {
        var snapshot = Hold(5);

        var result = await LoadAsync(Version(5));

        Assert.Equal((SessionLoadKind.Found, true, 0), (result.Kind, result.IsNear, _store.Reads));
        Assert.Same(snapshot, result.Snapshot);
    }

    [Fact]
    public async Task A_node_that_holds_less_than_the_visitor_has_seen_asks_the_store()
    {
        Hold(5);
        await StoreAsync(7);

        var result = await LoadAsync(Version(7));

        Assert.Equal((SessionLoadKind.Found, false, 7u, 1), (result.Kind, result.IsNear, result.Snapshot!.Version.Counter, _store.Reads));
        Assert.Equal((SessionReadKind.Found, Version(5)), _store.LastRead);
        Assert.True((await LoadAsync(Version(7))).IsNear);
    }

    [Theory]
    [InlineData(1999, 1)]
    [InlineData(2000, 2)]
    public async Task The_age_of_an_answer_that_comes_from_a_copy_counts_in_the_nodes_memory_too(int milliseconds, int reads)
    {
        await StoreAsync(5);
        _store.Age = TimeSpan.FromSeconds(3); // of the five that a memory may have
        await LoadAsync(Version(5));

        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        await LoadAsync(Version(5));

        Assert.Equal(reads, _store.Reads);
    }

    [Fact]
    public async Task A_copy_that_the_store_confirms_by_its_version_alone_tells_its_age_as_well()
    {
        await StoreAsync(5);
        await LoadAsync(Version(5));
        _time.Advance(MaxAge);
        _store.Age = MaxAge;
        await LoadAsync(Version(5));
        await LoadAsync(Version(5));

        Assert.Equal((SessionReadKind.Unchanged, 3), (_store.LastRead.Kind, _store.Reads));
    }

    [Fact]
    public async Task A_node_that_holds_more_than_the_visitor_has_seen_serves_what_it_holds()
    {
        Hold(7);

        var result = await LoadAsync(Version(5));

        Assert.Equal((SessionLoadKind.Found, 7u, 0), (result.Kind, result.Snapshot!.Version.Counter, _store.Reads));
    }

    [Fact]
    public async Task The_same_counter_of_another_history_is_told_apart()
    {
        Hold(5, stamp: 1);
        await StoreAsync(5, stamp: 2, value: 9);

        var result = await LoadAsync(Version(5, stamp: 2));

        Assert.Equal((SessionLoadKind.Found, 1, 9), (result.Kind, _store.Reads, result.Snapshot!.Items["x"][0]));
    }

    [Fact]
    public async Task The_same_counter_of_another_history_in_the_store_too_is_told_as_diverged()
    {
        Hold(5, stamp: 1);
        await StoreAsync(5, stamp: 1);

        var result = await LoadAsync(Version(5, stamp: 2));

        Assert.Equal((SessionLoadKind.Diverged, 1), (result.Kind, _store.Reads));
    }

    [Fact]
    public async Task A_memory_that_has_aged_is_asked_for_by_its_version_and_young_again_when_nothing_has_changed()
    {
        var held = Hold(5);
        await StoreAsync(5);
        _time.Advance(MaxAge);

        var asked = await LoadAsync(Version(5));
        Assert.Equal((SessionLoadKind.Found, false), (asked.Kind, asked.IsNear));
        Assert.Equal((SessionReadKind.Unchanged, Version(5)), _store.LastRead);
        Assert.Same(held.Items, asked.Snapshot!.Items);

        _time.Advance(MaxAge - Tick);
        Assert.True((await LoadAsync(Version(5))).IsNear);
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task An_unchanged_session_lives_as_long_as_the_store_says()
    {
        Hold(5);
        await StoreAsync(5);
        _time.Advance(TimeSpan.FromMinutes(10));
        await _memory.TouchAsync(Key, Idle, default);
        _time.Advance(TimeSpan.FromMinutes(1));

        var result = await LoadAsync(Version(5));

        Assert.Equal((SessionReadKind.Unchanged, _time.GetUtcNow() + TimeSpan.FromMinutes(19)), (_store.LastRead.Kind, result.Snapshot!.IdleUntil));
    }

    [Fact]
    public async Task A_session_that_was_ended_elsewhere_unheard_is_refused_when_its_memory_has_aged()
    {
        Hold(5);
        await _memory.DeleteAsync(Key, TimeSpan.FromHours(1), default);
        _time.Advance(MaxAge - Tick);
        Assert.Equal(SessionLoadKind.Found, (await LoadAsync(Version(5))).Kind);

        _time.Advance(Tick);

        Assert.Equal(SessionLoadKind.Ended, (await LoadAsync(Version(5))).Kind);
        Assert.Equal(0, _near.Count);
    }

    [Fact]
    public async Task A_ticket_from_before_a_renewal_that_this_node_has_made_is_refused_at_once_and_the_renewed_session_stays_in_memory()
    {
        await StoreAsync(5, generation: 1);
        Hold(5, generation: 1);
        _time.Advance(SessionLoader.StaleTicketGrace);

        Assert.Equal(SessionLoadKind.Superseded, (await LoadAsync(Version(4), generation: 0)).Kind);
        Assert.True((await LoadAsync(Version(5), generation: 1)).IsNear);
    }

    [Fact]
    public async Task A_ticket_of_a_renewal_that_this_node_has_not_heard_of_is_served_from_the_store()
    {
        Hold(5, generation: 0);
        await StoreAsync(6, generation: 1);

        var result = await LoadAsync(Version(6), generation: 1);

        Assert.Equal((SessionLoadKind.Found, false, 1), (result.Kind, result.IsNear, result.Snapshot!.Generation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Parallel_requests_of_one_session_cost_one_read(bool nodeHasAged)
    {
        await StoreAsync(5);
        if (nodeHasAged)
        {
            Hold(5);
            _time.Advance(MaxAge);
        }

        _store.HoldsReads = true;
        var loads = Enumerable.Range(0, 50).Select(_ => LoadAsync(Version(5)).AsTask()).ToList();
        Assert.All(loads, load => Assert.False(load.IsCompleted));
        _store.LetThrough();

        Assert.All(await Task.WhenAll(loads), result => Assert.Equal((SessionLoadKind.Found, 5u), (result.Kind, result.Snapshot!.Version.Counter)));
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task Parallel_requests_on_many_threads_cost_one_read_too()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        using var barrier = new Barrier(8);
        var threads = Enumerable.Range(0, 8).Select(_ => Task.Factory.StartNew(
            () =>
            {
                barrier.SignalAndWait();
                return LoadAsync(Version(5)).AsTask();
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default)).ToList();
        var loads = await Task.WhenAll(threads);
        _store.LetThrough();

        Assert.All(await Task.WhenAll(loads), result => Assert.Equal(SessionLoadKind.Found, result.Kind));
        Assert.Equal(1, _store.Reads);
    }

    [Fact]
    public async Task Parallel_requests_of_different_sessions_do_not_wait_for_each_other()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        var slow = LoadAsync(Version(5)).AsTask();
        _store.HoldsReads = false;

        var other = await _loader.LoadAsync(Ticket(_time, SessionId.Create(), Version(1)), default);

        Assert.Equal((SessionLoadKind.Lost, false, 2), (other.Kind, slow.IsCompleted, _store.Reads));
        _store.LetThrough();
        Assert.Equal(SessionLoadKind.Found, (await slow).Kind);
    }

    [Fact]
    public async Task A_request_that_joins_a_question_whose_answer_is_too_old_for_its_ticket_asks_by_itself()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        var first = LoadAsync(Version(5)).AsTask();
        await StoreAsync(6, value: 6);
        _store.HoldsReads = false;
        var second = LoadAsync(Version(6)).AsTask();
        Assert.False(second.IsCompleted);

        _store.LetThrough();

        Assert.Equal(5u, (await first).Snapshot!.Version.Counter);
        Assert.Equal((SessionLoadKind.Found, 6u, 2), ((await second).Kind, (await second).Snapshot!.Version.Counter, _store.Reads));
    }

    [Fact]
    public async Task Who_asked_before_the_session_was_there_asks_again_before_it_is_told_lost_and_who_joined_asks_by_itself()
    {
        _store.HoldsReads = true;
        var first = LoadAsync(Version(1)).AsTask();
        await StoreAsync(1);
        _store.HoldsReads = false;
        var second = LoadAsync(Version(1)).AsTask();

        _store.LetThrough();

        Assert.Equal((SessionLoadKind.Found, SessionLoadKind.Found), ((await first).Kind, (await second).Kind));
        Assert.Equal(1, _store.Confirms);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_request_that_comes_after_an_announcement_is_not_answered_by_a_question_from_before_it(bool ended)
    {
        // The answer that was under way said "found", and who joined it was served a session that had been signed out before the request was sent.
        await StoreAsync(5);
        _store.HoldsReads = true;
        var before = LoadAsync(Version(5)).AsTask();
        if (ended)
        {
            await _memory.DeleteAsync(Key, TimeSpan.FromHours(1), default);
            _near.Refuse(Key);
        }
        else
        {
            await StoreAsync(6, generation: 1);
            _near.Refuse(Key, 1);
        }

        _store.HoldsReads = false;
        var after = LoadAsync(Version(5)).AsTask();
        _store.LetThrough();

        Assert.Equal(SessionLoadKind.Found, (await before).Kind);
        Assert.Equal(ended ? SessionLoadKind.Ended : SessionLoadKind.JustSuperseded, (await after).Kind);
        Assert.NotEqual(SessionLoadKind.Found, (await LoadAsync(Version(5))).Kind);
    }

    [Fact]
    public async Task A_request_is_not_answered_by_a_question_that_is_older_than_a_memory_may_be()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        var before = LoadAsync(Version(5)).AsTask();
        await _memory.DeleteAsync(Key, TimeSpan.FromHours(1), default);
        _time.Advance(MaxAge);
        _store.HoldsReads = false;
        var after = LoadAsync(Version(5)).AsTask();

        _store.LetThrough();

        Assert.Equal((SessionLoadKind.Found, SessionLoadKind.Ended), ((await before).Kind, (await after).Kind));
    }

    [Fact]
    public async Task Switched_off_every_request_reads_the_store_and_none_takes_the_answer_to_an_older_question()
    {
        await StoreAsync(5);
        var loader = Loader(_store, new NearCache(Options(enabled: false), _time), _options, _time);
        var ticket = Ticket(_time, _id, Version(5));
        await loader.LoadAsync(ticket, default);
        await loader.LoadAsync(ticket, default);
        Assert.Equal(2, _store.Reads);
        _store.HoldsReads = true;
        var before = loader.LoadAsync(ticket, default).AsTask();
        await _memory.DeleteAsync(Key, TimeSpan.FromHours(1), default);
        _store.HoldsReads = false;
        var after = loader.LoadAsync(ticket, default).AsTask();

        _store.LetThrough();

        Assert.Equal((SessionLoadKind.Found, SessionLoadKind.Ended), ((await before).Kind, (await after).Kind));
    }

    [Fact]
    public async Task A_visitor_who_hangs_up_leaves_the_question_to_those_who_wait()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        using var hangsUp = new CancellationTokenSource();
        var gone = _loader.LoadAsync(Ticket(_time, _id, Version(5)), hangsUp.Token).AsTask();
        var waits = LoadAsync(Version(5)).AsTask();

        await hangsUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        _store.LetThrough();

        Assert.Equal((SessionLoadKind.Found, 1), ((await waits).Kind, _store.Reads));
        Assert.True((await LoadAsync(Version(5))).IsNear);
    }

    [Fact]
    public async Task A_question_that_failed_fails_those_who_wait_and_the_next_request_asks_anew()
    {
        await StoreAsync(5);
        var faulty = new FaultyStore(_memory);
        var sent = new TaskCompletionSource();
        faulty.BeforeRead = async _ => await sent.Task;
        var loader = Loader(faulty, _near, _options, _time);
        var ticket = Ticket(_time, _id, Version(5));
        var loads = Enumerable.Range(0, 5).Select(_ => loader.LoadAsync(ticket, default).AsTask()).ToList();

        sent.SetException(FaultyStore.Ambiguous());
        foreach (var load in loads)
        {
            await Assert.ThrowsAsync<SessionStoreException>(() => load);
        }

        faulty.Heal();
        Assert.Equal(SessionLoadKind.Found, (await loader.LoadAsync(ticket, default)).Kind);
        Assert.Equal(2, faulty.Reads);
    }

    [Fact]
    public async Task What_was_under_way_when_the_session_was_refused_is_served_to_who_asked_and_not_remembered()
    {
        await StoreAsync(5);
        _store.HoldsReads = true;
        var load = LoadAsync(Version(5)).AsTask();

        _near.Refuse(Key);
        _store.LetThrough();

        Assert.Equal((SessionLoadKind.Found, 0), ((await load).Kind, _near.Count));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_slow_answer_does_not_let_a_memory_outlive_the_session(bool unchanged)
    {
        // The time that is left was counted from when the answer came, so memory outlived the session by as long as the answer had taken.
        await StoreAsync(5, idle: TimeSpan.FromSeconds(3));
        if (unchanged)
        {
            _near.Put(_id, Near(_time, _id, Snapshot(_time, 5, idle: TimeSpan.FromSeconds(3)), _time.GetTimestamp() - MaxAge.Ticks));
        }

        _store.HoldsReads = true;
        var load = LoadAsync(Version(5)).AsTask();
        _time.Advance(TimeSpan.FromSeconds(1));
        _store.LetThrough();
        Assert.Equal((SessionLoadKind.Found, unchanged ? SessionReadKind.Unchanged : SessionReadKind.Found), ((await load).Kind, _store.LastRead.Kind));

        _time.Advance(TimeSpan.FromSeconds(2));

        Assert.False(_near.TryFind(_id, out _));
    }

    private ValueTask<SessionLoadResult> LoadAsync(SessionVersion seen, int generation = 0) => _loader.LoadAsync(Ticket(_time, _id, seen, generation), default);

    private SessionSnapshot Hold(ulong counter, ulong stamp = 77, int generation = 0)
    {
        var snapshot = Snapshot(_time, counter, generation, stamp: stamp);
        _near.Put(_id, Near(_time, _id, snapshot));
        return snapshot;
    }

    /// <summary>Somebody else saves, so that the store has exactly this version.</summary>
    private async Task StoreAsync(ulong counter, ulong stamp = 77, int generation = 0, byte value = 1, TimeSpan? idle = null)
    {
        var items = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["x"] = [value] };
        var payload = SessionCodec.Encode(_time.GetUtcNow(), _time.GetUtcNow(), items, _options.MaxBytes);
        var stored = await _memory.ReadAsync(Key, default, default);
        for (var at = stored.Session?.Version ?? SessionVersion.None; at.Counter < counter;)
        {
            var next = new SessionVersion(at.Counter + 1, at.Counter + 1 == counter ? stamp : 77);
            var result = await _memory.WriteAsync(Key, new SessionWrite(at, next, generation, payload, idle ?? Idle, TimeSpan.FromHours(24)), default);
            Assert.Equal(SessionWriteKind.Written, result.Kind);
            at = next;
        }
    }
}
