using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tests.Nodes;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using static Affinity.Tests.Sessions.NearCaching.NearSample;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>The store has lost everything, or the last writes, or has other ones in their place: what a node gives back, and what is told.</summary>
public sealed class LostWritesTests
{
    private readonly ManualTime _time = new();
    private readonly SessionsOptions _options = Options();
    private readonly LossyStore _store;
    private readonly SessionId _id = SessionId.Create();
    private readonly Node _here;
    private readonly Node _there;

    public LostWritesTests()
    {
        _store = new LossyStore(_time);
        (_here, _there) = (new Node(this), new Node(this));
    }

    private SessionKey Key => SessionKey.Of(_id);

    [Fact]
    public async Task What_an_emptied_store_no_longer_has_is_given_back_by_the_node_that_remembers_it_as_it_was()
    {
        var saved = await _here.SaveAsync("a", "b");
        _time.Advance(TimeSpan.FromMinutes(3));
        _store.LoseEverything();

        var result = await _here.LoadAsync(saved);

        Assert.Equal((SessionLoadKind.Found, saved.Version), (result.Kind, result.Snapshot!.Version));
        var elsewhere = await _there.LoadAsync(saved);
        Assert.Equal((SessionLoadKind.Found, saved.Version), (elsewhere.Kind, elsewhere.Snapshot!.Version));
        Assert.Equal(["a", "b"], elsewhere.Snapshot.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((saved.IdleUntil, saved.Expires), (elsewhere.Snapshot.IdleUntil, elsewhere.Snapshot.Expires));
        Assert.Equal(saved.Created, elsewhere.Snapshot.Created);
        Assert.Empty(_here.Told);
    }

    [Fact]
    public async Task The_last_writes_that_a_store_has_lost_are_given_back_on_top_of_what_it_has()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var saved = await _here.SaveAsync("b", "c");
        await _store.GoBackAsync(mark);
        _time.Advance(MaxAge);

        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_here, saved));
        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_there, saved));
    }

    [Fact]
    public async Task A_node_that_has_only_read_what_was_lost_gives_it_back_too()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var saved = await _here.SaveAsync("b", "c");
        await _there.LoadAsync(saved);
        await _store.GoBackAsync(mark);
        _time.Advance(MaxAge);

        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_there, saved));
    }

    [Fact]
    public async Task What_the_store_lost_is_given_back_also_when_the_visitor_has_not_seen_it_yet()
    {
        var seen = await _here.SaveAsync("a");
        var mark = _store.Mark;
        var saved = await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);
        _time.Advance(MaxAge);

        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_here, seen));
    }

    [Fact]
    public async Task Writes_that_were_made_in_the_place_of_lost_ones_are_not_overwritten_and_the_loss_is_told()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var lost = await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);
        var instead = await _there.SaveAsync("c");
        _time.Advance(MaxAge);

        var result = await _here.LoadAsync(lost);

        Assert.Equal((SessionLoadKind.Diverged, instead.Version), (result.Kind, result.Snapshot!.Version));
        Assert.Equal((SessionLoadKind.Found, instead.Version), await KindAndVersionAsync(_there, instead));
        Assert.Equal(["SessionDiverged"], _here.Told);
    }

    [Fact]
    public async Task A_store_that_has_gone_ahead_without_what_a_visitor_has_seen_is_told_as_diverged()
    {
        // By the counter alone this was "found", and the lost write was never told.
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var lost = await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);
        await _there.SaveAsync("c");
        var ahead = await _there.SaveAsync("d");
        Assert.True(ahead.Version.Counter > lost.Version.Counter);

        Assert.Equal((SessionLoadKind.Diverged, ahead.Version), await KindAndVersionAsync(_there, lost));
        Assert.Equal(["SessionDiverged"], _there.Told);
    }

    [Fact]
    public async Task A_memory_of_a_history_that_was_lost_is_not_served_to_who_has_seen_the_other_one()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        await _here.SaveAsync("b");
        await _here.SaveAsync("c");
        await _store.GoBackAsync(mark);
        var instead = await _there.SaveAsync("d");

        Assert.Equal((SessionLoadKind.Found, instead.Version), await KindAndVersionAsync(_here, instead));
    }

    [Fact]
    public async Task An_older_state_of_which_nobody_remembers_more_is_told_as_behind_and_a_missing_session_as_lost()
    {
        var old = await _here.SaveAsync("a");
        var mark = _store.Mark;
        var lost = await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);

        Assert.Equal((SessionLoadKind.Behind, old.Version), await KindAndVersionAsync(_there, lost));
        _store.LoseEverything();
        Assert.Equal(SessionLoadKind.Lost, (await new Node(this).LoadAsync(lost)).Kind);
        Assert.Equal(["SessionBehind"], _there.Told);
    }

    [Fact]
    public async Task A_loss_is_told_once_with_what_the_store_says_for_itself_and_a_later_one_anew()
    {
        var saved = await _here.SaveAsync("a");
        _store.LoseEverything();
        for (var requests = 0; requests < 5; requests++)
        {
            Assert.Equal(SessionLoadKind.Lost, (await _there.LoadAsync(saved)).Kind);
        }

        Assert.Equal(["SessionLost"], _there.Told);
        Assert.Contains("master_replid 2, before 1", _there.TextOf("SessionLost"), StringComparison.Ordinal);
        await _there.LoadAsync(saved.Version.Next());
        Assert.Equal((2, 1), (_there.Told.Count, _store.Testimonies));
    }

    [Fact]
    public async Task What_was_ended_does_not_come_back_when_the_store_has_forgotten_that_too()
    {
        var saved = await _here.SaveAsync("a");
        await _store.DeleteAsync(Key, TimeSpan.FromHours(1), default);
        _here.Near.Refuse(Key); // the announcement
        _store.LoseEverything();

        Assert.Equal(SessionLoadKind.Lost, (await _here.LoadAsync(saved)).Kind);
        var late = await _here.Loop.SaveAsync(_id, saved, Sets("b"));
        Assert.Equal((null, SessionEnding.Lost), (late.Saved, late.Ending));
        Assert.Equal(SessionReadKind.Absent, (await _store.ReadAsync(Key, default, default)).Kind);
    }

    [Fact]
    public async Task What_was_ended_does_not_come_back_as_long_as_the_store_remembers_that()
    {
        var saved = await _here.SaveAsync("a");
        await _store.DeleteAsync(Key, TimeSpan.FromHours(1), default);
        _time.Advance(MaxAge);

        Assert.Equal(SessionLoadKind.Ended, (await _here.LoadAsync(saved)).Kind);
        Assert.Equal((0, 1), (_here.Near.Count, _store.Writes));
    }

    [Fact]
    public async Task A_session_whose_time_has_run_out_is_not_given_back()
    {
        var saved = await _here.SaveAsync("a");
        _store.LoseEverything();
        _time.Advance(Idle);

        // By a ticket that would give it more time than it has.
        Assert.Equal((SessionLoadKind.Lost, 1), ((await _here.LoadAsync(saved)).Kind, _store.Writes));
    }

    [Fact]
    public async Task A_lagging_replica_that_answers_alone_does_not_make_a_loss()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var saved = await _here.SaveAsync("b");
        await _store.LetReplicaAnswerAsync(mark);

        await Assert.ThrowsAsync<SessionStoreException>(() => _there.LoadAsync(saved).AsTask());
        await _store.LetReplicaAnswerAsync(0);
        await Assert.ThrowsAsync<SessionStoreException>(() => _there.LoadAsync(saved).AsTask());
        _store.PrimaryIsBack();

        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_there, saved));
        Assert.Empty(_there.Told);
    }

    [Fact]
    public async Task While_only_a_replica_answers_or_writes_are_refused_a_node_serves_what_it_remembers_and_tries_again()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var saved = await _here.SaveAsync("b");
        _time.Advance(MaxAge);
        await _store.LetReplicaAnswerAsync(mark);
        var served = await _here.LoadAsync(saved);
        Assert.Equal((SessionLoadKind.Found, true, saved.Version), (served.Kind, served.IsNear, served.Snapshot!.Version));
        _store.PrimaryIsBack();

        await _store.GoBackAsync(mark);
        _store.RefusesWrites = true;
        served = await _here.LoadAsync(saved);
        Assert.Equal((SessionLoadKind.Found, true, saved.Version), (served.Kind, served.IsNear, served.Snapshot!.Version));
        Assert.Contains("SessionNotWrittenBack", _here.Healed);
        _store.RefusesWrites = false;
        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_here, saved));
        Assert.Equal((SessionLoadKind.Found, saved.Version), await KindAndVersionAsync(_there, saved));
    }

    [Fact]
    public async Task A_save_on_an_emptied_store_saves_all_that_the_node_remembers_and_no_lifetime_begins_anew()
    {
        var before = await _here.SaveAsync("a");
        _time.Advance(TimeSpan.FromSeconds(2));
        _store.LoseEverything();

        var saved = await _here.SaveAsync("b");

        Assert.True(saved.Version.Counter == before.Version.Counter + 1);
        var elsewhere = (await _there.LoadAsync(saved)).Snapshot!;
        Assert.Equal(["a", "b"], elsewhere.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal((before.Expires, _time.GetUtcNow() + Idle), (elsewhere.Expires, elsewhere.IdleUntil));
        Assert.Equal(SessionLoadKind.Found, (await _there.LoadAsync(before)).Kind);
    }

    [Fact]
    public async Task A_save_on_a_store_that_has_lost_the_last_writes_saves_them_along()
    {
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);

        var saved = await _here.SaveAsync("c");

        Assert.Equal(["a", "b", "c"], (await _there.LoadAsync(saved)).Snapshot!.Items.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Two_nodes_that_save_on_an_emptied_store_at_once_both_keep_their_changes()
    {
        var start = await _here.SaveAsync("a");
        await _there.LoadAsync(start);
        _store.LoseEverything();

        await _here.SaveAsync("b");
        var last = await _there.SaveAsync("c");

        Assert.Equal(["a", "b", "c"], last.Items.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(LostWritePolicy.Tell)]
    [InlineData(LostWritePolicy.Fail)]
    public async Task A_save_that_meets_other_writes_in_the_place_of_lost_ones_is_merged_and_told_or_refused(LostWritePolicy policy)
    {
        // It was merged with the other history, and nobody was told.
        _options.OnLostWrite = policy;
        await _here.SaveAsync("a");
        var mark = _store.Mark;
        var lost = await _here.SaveAsync("b");
        await _store.GoBackAsync(mark);
        var instead = await _there.SaveAsync("c");

        var result = await _here.Loop.SaveAsync(_id, lost, Sets("d"));

        Assert.Equal(instead.Version, result.Instead);
        Assert.Equal(policy == LostWritePolicy.Tell ? ["a", "c", "d"] : null, result.Saved?.Items.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(policy == LostWritePolicy.Tell ? default : SessionEnding.LostWrites, result.Ending);
    }

    [Fact]
    public async Task Without_a_memory_a_save_on_an_emptied_store_is_refused_as_lost()
    {
        _options.NearCache.Enabled = false;
        var start = await _here.SaveAsync("a");
        _store.LoseEverything();

        var result = await _here.Loop.SaveAsync(_id, start, Sets("b"));

        Assert.Equal((null, SessionEnding.Lost), (result.Saved, result.Ending));
    }

    [Fact]
    public async Task Visitors_of_an_emptied_store_are_given_back_a_bounded_number_at_a_time_and_none_is_lost()
    {
        var slow = new SlowStore(_store) { HoldsWrites = false };
        var near = new NearCache(_options, _time);
        var loader = Loader(slow, near, _options, _time);
        var sessions = Enumerable.Range(0, 100).Select(_ => SessionId.Create()).ToList();
        foreach (var session in sessions)
        {
            near.Put(session, Near(_time, session, Snapshot(_time, 3)));
        }

        _time.Advance(MaxAge);
        slow.HoldsWrites = true;
        var loads = sessions.Select(session => loader.LoadAsync(Ticket(_time, session, Version(3)), default).AsTask()).ToList();

        var all = Task.WhenAll(loads);
        Assert.Equal(SessionHealer.AtOnce, slow.UnderWay.Count);

        // Whoever has waited for their turn goes on on another thread.
        await UntilAsync(() =>
        {
            Assert.InRange(slow.UnderWay.Count, 0, SessionHealer.AtOnce);
            if (slow.UnderWay.Count > 0)
            {
                slow.LetThrough();
            }

            return all.IsCompleted;
        });

        Assert.All(await all, result => Assert.Equal((SessionLoadKind.Found, false), (result.Kind, result.IsNear)));
        Assert.Equal(100, slow.Writes);
    }

    [Fact]
    public async Task When_the_store_may_have_lost_its_data_a_node_gives_back_all_that_it_remembers_at_a_bounded_rate_and_says_so_in_one_line()
    {
        var sessions = new List<(SessionId Id, SessionSnapshot Saved)>();
        for (var i = 0; i < 60; i++)
        {
            var id = SessionId.Create();
            sessions.Add((id, (await _here.Loop.SaveAsync(id, SessionSnapshot.Empty(_time.GetUtcNow(), _options.AbsoluteTimeout), Sets("a"))).Saved!));
        }

        _store.LoseEverything();
        await _here.Healer.StartAsync(default);
        var writes = _store.Writes;

        _here.Healer.CheckAll("a test says so");
        await UntilAsync(() => _store.Writes - writes >= 20);
        Assert.Equal(20, _store.Writes - writes);
        await UntilAsync(() => _store.Writes - writes >= 60 && _here.Healed.Contains("SessionsWrittenBack"), advance: true);

        Assert.Equal(60, _store.Writes - writes);
        Assert.Contains("Of 60 sessions", _here.TextOf("SessionsWrittenBack"), StringComparison.Ordinal);
        foreach (var (id, saved) in sessions)
        {
            Assert.Equal(saved.Version, (await _store.ReadAsync(SessionKey.Of(id), default, default)).Session?.Version);
        }

        await _here.Healer.StopAsync(default);
    }

    [Fact]
    public async Task A_visitor_who_comes_to_a_node_that_does_not_remember_is_given_the_session_by_the_one_that_does()
    {
        var nodes = new MemorySessionStore(_time);
        var saved = await _here.SaveAsync("a");
        nodes.ListenForWanted(_here.Healer.Want);
        nodes.ListenForWanted(_there.Healer.Want);
        await _here.Healer.StartAsync(default);
        _store.LoseEverything();
        var loader = Loader(_store, _there.Near, _options, _time, nodes: nodes);

        var loading = loader.LoadAsync(Ticket(_time, _id, saved.Version), default).AsTask();
        await UntilAsync(() => loading.IsCompleted, advance: true);

        Assert.Equal((SessionLoadKind.Found, saved.Version), ((await loading).Kind, (await loading).Snapshot!.Version));
        await _here.Healer.StopAsync(default);
    }

    [Fact]
    public async Task A_visitor_whose_session_no_node_remembers_waits_a_bounded_time_once()
    {
        var nodes = new MemorySessionStore(_time);
        nodes.ListenForWanted(_ => { });
        nodes.ListenForWanted(_ => { });
        var log = new LogLines<SessionLosses>();
        var loader = Loader(_store, _there.Near, _options, _time, nodes: nodes, losses: Losses(_store, _time, logger: log));
        var (ticket, began) = (Ticket(_time, _id, Version(5)), _time.GetTimestamp());

        var loading = loader.LoadAsync(ticket, default).AsTask();
        Assert.False(loading.IsCompleted);
        await UntilAsync(() => loading.IsCompleted, advance: true);

        Assert.Equal(SessionLoadKind.Lost, (await loading).Kind);
        Assert.InRange(_time.GetElapsedTime(began), _options.StoreTimeout + GuardedSessionStore.Pause, _options.StoreTimeout + GuardedSessionStore.Pause + TimeSpan.FromMilliseconds(500));
        Assert.Contains("1 of 1 were asked", log.TextOf("SessionLost"), StringComparison.Ordinal);
        Assert.True(loader.LoadAsync(ticket, default).AsTask().IsCompletedSuccessfully);
    }

    /// <summary>After a fail-over a node that remembers the session was not connected yet when it was asked for, and five visitors were told a loss that was none.</summary>
    [Fact]
    public async Task A_node_that_has_lost_its_connection_too_is_asked_again_until_it_hears()
    {
        var nodes = new DeafForAWhile(_time, TimeSpan.FromMilliseconds(600));
        var saved = await _here.SaveAsync("a");
        nodes.ListenForWanted(_here.Healer.Want);
        await _here.Healer.StartAsync(default);
        _store.LoseEverything();
        var loader = Loader(_store, _there.Near, _options, _time, nodes: nodes, others: 1);

        var loading = loader.LoadAsync(Ticket(_time, _id, saved.Version), default).AsTask();
        await UntilAsync(() => loading.IsCompleted, advance: true);

        Assert.Equal((SessionLoadKind.Found, saved.Version), ((await loading).Kind, (await loading).Snapshot!.Version));
        await _here.Healer.StopAsync(default);
    }

    /// <summary>After a promotion of PostgreSQL the node that remembered two sessions still left the store alone when it was asked, and their visitors were told a loss.</summary>
    [Fact]
    public async Task A_node_that_cannot_reach_the_store_when_it_is_asked_tries_again_for_as_long_as_it_is_waited_for()
    {
        var saved = await _here.SaveAsync("a");
        _store.LoseEverything();
        var failures = 5;
        var asked = new FaultyStore(_store) { BeforeRead = _ => Interlocked.Decrement(ref failures) >= 0 ? throw FaultyStore.NotApplied() : ValueTask.CompletedTask };
        var healer = NearSample.Healer(asked, _here.Near, _options, _time);
        var wanted = new MemorySessionStore(_time);
        wanted.ListenForWanted(healer.Want);
        wanted.ListenForWanted(_ => { });
        await healer.StartAsync(default);
        var loader = Loader(_store, _there.Near, _options, _time, nodes: wanted, others: 1);

        var loading = loader.LoadAsync(Ticket(_time, _id, saved.Version), default).AsTask();
        await UntilAsync(() => loading.IsCompleted, advance: true);

        Assert.Equal((SessionLoadKind.Found, saved.Version), ((await loading).Kind, (await loading).Snapshot!.Version));
        Assert.True(failures < 0);
        await healer.StopAsync(default);
    }

    [Fact]
    public async Task Who_never_hears_is_waited_for_no_longer_than_for_the_store()
    {
        var loader = Loader(_store, _there.Near, _options, _time, nodes: new DeafForAWhile(_time, TimeSpan.FromHours(1)), others: 1);
        var began = _time.GetTimestamp();

        var loading = loader.LoadAsync(Ticket(_time, _id, Version(5)), default).AsTask();
        await UntilAsync(() => loading.IsCompleted, advance: true);

        Assert.Equal(SessionLoadKind.Lost, (await loading).Kind);
        Assert.InRange(_time.GetElapsedTime(began), _options.StoreTimeout + GuardedSessionStore.Pause, _options.StoreTimeout + GuardedSessionStore.Pause + TimeSpan.FromMilliseconds(500));
    }

    private static SessionDelta Sets(params string[] keys)
    {
        var delta = new SessionDelta();
        foreach (var key in keys)
        {
            delta.Set(key, [1]);
        }

        return delta;
    }

    private static async Task<(SessionLoadKind Kind, SessionVersion Version)> KindAndVersionAsync(Node node, SessionSnapshot seen)
    {
        var result = await node.LoadAsync(seen);
        return (result.Kind, result.Snapshot?.Version ?? default);
    }

    /// <summary>For what runs on other threads; where it waits for time, time goes on.</summary>
    private async Task UntilAsync(Func<bool> holds, bool advance = false)
    {
        for (var patience = 0; !holds(); patience++)
        {
            Assert.True(patience < 20_000, "It never came about.");
            if (advance)
            {
                _time.Advance(TimeSpan.FromMilliseconds(5));
            }

            await Task.Delay(1);
        }
    }

    /// <summary>A node from the loader on down.</summary>
    private sealed class Node
    {
        private readonly LostWritesTests _test;
        private readonly LogLines<SessionLosses> _losses = new();
        private readonly LogLines<SessionHealer> _heals = new();
        private readonly SessionLoader _loader;

        public Node(LostWritesTests test)
        {
            _test = test;
            var (store, options, time) = (test._store, test._options, test._time);
            Near = new NearCache(options, time);
            var metrics = TestMetrics.Create();
            var losses = Losses(store, time, metrics, _losses);
            Healer = NearSample.Healer(store, Near, options, time, metrics, losses, _heals);
            _loader = Loader(store, Near, options, time, metrics, losses: losses, healer: Healer);
            Loop = new SessionSaveLoop(store, Near, options, time, metrics);
        }

        public NearCache Near { get; }

        public SessionHealer Healer { get; }

        public SessionSaveLoop Loop { get; }

        public IReadOnlyList<string> Told => _losses.Events;

        public IReadOnlyList<string> Healed => _heals.Events;

        public string TextOf(string name) => name.StartsWith("Sessions", StringComparison.Ordinal) ? _heals.TextOf(name) : _losses.TextOf(name);

        public ValueTask<SessionLoadResult> LoadAsync(SessionSnapshot seen) => LoadAsync(seen.Version, seen.Generation);

        public ValueTask<SessionLoadResult> LoadAsync(SessionVersion seen, int generation = 0) => _loader.LoadAsync(Ticket(_test._time, _test._id, seen, generation), default);

        /// <summary>What a request does that begins with what the node finds: saves one change after another.</summary>
        public async Task<SessionSnapshot> SaveAsync(params string[] keys)
        {
            if (!Near.TryFind(_test._id, out var held))
            {
                var read = await _test._store.ReadAsync(_test.Key, SessionVersion.None, default);
                held = read.Session is { } stored ? NearSample.Near(_test._time, _test._id, SessionDecoder.Decode(stored, _test._time)) : null;
            }

            var start = held?.Snapshot ?? SessionSnapshot.Empty(_test._time.GetUtcNow(), _test._options.AbsoluteTimeout);
            foreach (var key in keys)
            {
                start = (await Loop.SaveAsync(_test._id, start, Sets(key))).Saved!;
            }

            return start;
        }
    }

    /// <summary>Nodes whom no question reaches until some time has passed.</summary>
    private sealed class DeafForAWhile(ManualTime time, TimeSpan deaf) : ISessionAnnouncements
    {
        private readonly long _began = time.GetTimestamp();
        private Action<SessionKey>? _wanted;

        public void Listen(Action<SessionKey, int> stale)
        {
        }

        public void ListenForWanted(Action<SessionKey> wanted) => _wanted += wanted;

        public ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken)
        {
            if (time.GetElapsedTime(_began) < deaf)
            {
                return ValueTask.FromResult<int?>(0);
            }

            _wanted?.Invoke(key);
            return ValueTask.FromResult<int?>(1);
        }
    }
}
