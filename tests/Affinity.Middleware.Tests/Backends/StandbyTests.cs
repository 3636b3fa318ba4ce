using Affinity.Backends;
using Affinity.Backends.Memory;
using Affinity.Backends.Standby;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Backends;

/// <summary>Two nodes and two stores in this process, cut off from one another as a test likes; time passes only when it says so.</summary>
public sealed class StandbyTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ManualTime _time = new();
    private readonly MemorySessionStore _first;
    private readonly MemorySessionStore _standby;
    private readonly MemoryNodeDirectory _firstNodes;
    private readonly MemoryNodeDirectory _standbyNodes;
    private readonly SessionKey _key = SessionKey.Of(SessionId.Create());
    private readonly Node _one;
    private readonly Node _two;

    public StandbyTests()
    {
        (_first, _standby) = (new MemorySessionStore(_time), new MemorySessionStore(_time));
        (_firstNodes, _standbyNodes) = (new MemoryNodeDirectory(_time), new MemoryNodeDirectory(_time));
        (_one, _two) = (new Node(this, "one"), new Node(this, "two"));
    }

    [Fact]
    public async Task Both_nodes_use_the_first_store()
    {
        await PassAsync(30);
        await WriteAsync(_one);

        Assert.Equal(SessionReadKind.Found, (await _first.ReadAsync(_key, default, default)).Kind);
        Assert.Equal(SessionReadKind.Found, (await _two.Store.ReadAsync(_key, default, default)).Kind);
        Assert.Equal(SessionRead.Absent, await _standby.ReadAsync(_key, default, default));
        Assert.Empty(_one.Log.Warnings);
    }

    [Fact]
    public async Task When_the_first_store_goes_both_move_together_within_the_stated_time()
    {
        await PassAsync(5);
        _one.First.IsCut = _two.First.IsCut = true;
        await PassAsync(14);
        Assert.Equal(0, _one.State.Order.Epoch);
        await PassAsync(3);
        Assert.Equal((1, StandbySite.Standby), (_one.State.Order.Epoch, _two.State.Order.Site));
        await RefusesAsync(_one);
        await RefusesAsync(_two);
        await PassAsync(6);

        await WriteAsync(_two);
        Assert.Equal(SessionReadKind.Found, (await _one.Store.ReadAsync(_key, default, default)).Kind);
        Assert.Equal(SessionReadKind.Found, (await _standby.ReadAsync(_key, default, default)).Kind);
        Assert.Equal(1, _one.State.Order.Epoch); // one of them was first, and the other went by it
    }

    [Fact]
    public async Task A_short_absence_moves_nobody()
    {
        await PassAsync(5);
        for (var i = 0; i < 5; i++)
        {
            _one.First.IsCut = true;
            await PassAsync(12);
            _one.First.IsCut = false;
            await PassAsync(2);
        }

        Assert.Equal(0, _two.State.Order.Epoch);
    }

    [Fact]
    public async Task A_node_that_can_still_see_the_first_store_does_not_write_to_it_after_the_move()
    {
        await PassAsync(5);
        _one.First.IsCut = true;
        for (var i = 0; i < 30; i++)
        {
            await PassAsync(1);
            var (a, b) = (_one.State.Decide().Writes, _two.State.Decide().Writes);
            Assert.False(a is not null && b is not null && a != b, $"After {i} s one node writes to the one and the other to the other.");
        }

        await WriteAsync(_two);
        Assert.Equal(SessionRead.Absent, await _first.ReadAsync(_key, default, default));
        Assert.Equal(SessionReadKind.Found, (await _one.Store.ReadAsync(_key, default, default)).Kind);
    }

    [Fact]
    public async Task A_node_that_can_see_the_first_store_only_stops_when_another_moves()
    {
        await PassAsync(5);
        _two.Standby.IsCut = true;
        await PassAsync(20);
        Assert.Equal(StandbySite.First, _two.State.Decide().Writes); // all nodes are still there
        _one.First.IsCut = true;
        for (var i = 0; i < 40; i++)
        {
            await PassAsync(1);
            Assert.False(_one.State.Decide().Writes == StandbySite.Standby && _two.State.Decide().Writes is not null, $"After {i} s both write.");
        }

        Assert.Equal(StandbySite.Standby, _one.State.Decide().Writes);
        await RefusesAsync(_two);
        await Assert.ThrowsAsync<SessionStoreException>(async () => await _two.Store.ReadAsync(_key, default, default));
    }

    [Fact]
    public async Task A_node_that_comes_later_learns_of_the_move_from_the_first_store_if_it_cannot_read_the_standby()
    {
        await MoveAsync();
        _one.First.IsCut = _two.First.IsCut = false;
        await PassAsync(3);
        var late = new Node(this, "late") { Standby = { IsCut = true } };
        await late.Watch.LookOnceAsync(default);
        await PassAsync(60, late);

        Assert.Equal(StandbySite.Standby, late.State.Order.Site);
        await RefusesAsync(late);
    }

    [Fact]
    public async Task The_standby_alone_going_away_stops_nobody()
    {
        await PassAsync(5);
        _one.Standby.IsCut = _two.Standby.IsCut = true;
        await PassAsync(120);
        await WriteAsync(_one);

        Assert.Equal(["StandbyNotReadable"], _one.Log.Events);
        _one.Standby.IsCut = false;
        await PassAsync(2);
        Assert.Equal(["StandbyNotReadable", "StandbyReadable"], _one.Log.Events);
    }

    [Fact]
    public async Task A_node_that_drains_and_leaves_is_not_missed_while_the_standby_is_away()
    {
        await PassAsync(5);
        _one.Standby.IsCut = _two.Standby.IsCut = true;
        await PassAsync(10);
        _two.Record = _two.Record with { State = NodeState.Draining };
        await PassAsync(3);
        _two.Beats = false;
        await PassAsync(30);

        Assert.Equal(StandbySite.First, _one.State.Decide().Writes);
    }

    [Fact]
    public async Task Nobody_goes_back_by_itself()
    {
        await MoveAsync();
        _one.First.IsCut = _two.First.IsCut = false;
        await PassAsync(300);

        Assert.Equal((StandbySite.Standby, StandbySite.Standby), (_one.State.Decide().Writes!.Value, _two.State.Decide().Writes!.Value));
    }

    [Fact]
    public async Task By_command_both_go_back_together()
    {
        await MoveAsync();
        _one.First.IsCut = _two.First.IsCut = false;
        await PassAsync(2);
        Assert.True(await _one.Watch.OrderAsync(StandbySite.First, default));
        for (var i = 0; i < 10; i++)
        {
            await PassAsync(1);
            var (a, b) = (_one.State.Decide().Writes, _two.State.Decide().Writes);
            Assert.False(a is not null && b is not null && a != b, $"After {i} s one node writes to the one and the other to the other.");
        }

        await WriteAsync(_two);
        Assert.Equal(SessionReadKind.Found, (await _first.ReadAsync(_key, default, default)).Kind);
        Assert.Equal(2, _one.State.Order.Epoch);
    }

    [Fact]
    public async Task A_standby_that_has_lost_the_order_is_given_it_back()
    {
        await MoveAsync();
        var empty = new MemorySessionStore(_time);
        _one.Standby.Inner = _two.Standby.Inner = empty;
        await PassAsync(10);

        Assert.Equal((1L, StandbySite.Standby), ((await new StandbyLedger(empty).ReadAsync(default)).Order.Epoch, _one.State.Decide().Writes!.Value));
    }

    [Fact]
    public async Task A_session_that_is_ended_does_not_live_on_in_the_other_store()
    {
        var write = new SessionWrite(default, SessionVersion.None.Next(), 0, new byte[] { 1 }, Hour, Hour);
        await _first.WriteAsync(_key, write, default);
        await MoveAsync();
        await _one.Store.DeleteAsync(_key, Hour, default);
        await PassAsync(5);
        Assert.Equal(SessionReadKind.Found, (await _first.ReadAsync(_key, default, default)).Kind); // it cannot be told yet
        _one.First.IsCut = false;
        await PassAsync(2);

        Assert.Equal(SessionRead.Ended, await _first.ReadAsync(_key, default, default));
    }

    [Fact]
    public async Task What_the_first_store_answers_after_the_order_took_effect_is_not_taken_for_saved()
    {
        await PassAsync(5);
        var answer = new TaskCompletionSource();
        _two.First.BeforeAnswer = answer.Task;
        var writing = WriteAsync(_two);
        _two.First.BeforeAnswer = Task.CompletedTask;
        Assert.True(await _one.Watch.OrderAsync(StandbySite.Standby, default));
        await PassAsync(10);
        answer.SetResult();

        var fault = await Assert.ThrowsAsync<SessionStoreException>(() => writing);
        Assert.Equal(SessionStoreFault.Ambiguous, fault.Fault);
    }

    [Fact]
    public async Task Heartbeats_and_keys_go_where_sessions_go()
    {
        await PassAsync(5);
        await _one.Keys.AppendAsync("ring", "a", 0, default);
        await MoveAsync();
        Assert.Empty(await _one.Keys.ReadAsync("ring", default));
        await PassAsync(2);

        var live = (await _standbyNodes.BeatAsync(_one.Record, Hour, default)).Live;
        Assert.Equal(["one", "two"], live.Select(node => node.Id.Value));
    }

    private async Task MoveAsync()
    {
        await PassAsync(5);
        _one.First.IsCut = _two.First.IsCut = true;
        await PassAsync(30);
        Assert.Equal((StandbySite.Standby, StandbySite.Standby), (_one.State.Decide().Writes!.Value, _two.State.Decide().Writes!.Value));
    }

    private async Task PassAsync(int seconds, Node? more = null)
    {
        for (var i = 0; i < seconds; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            foreach (var node in more is null ? (Node[])[_one, _two] : [_one, _two, more])
            {
                await node.Watch.LookOnceAsync(default);
                await node.BeatAsync();
            }
        }
    }

    private async Task WriteAsync(Node node)
    {
        var write = new SessionWrite(default, SessionVersion.None.Next(), 0, new byte[] { 1 }, Hour, Hour);
        Assert.Equal(SessionWriteKind.Written, (await node.Store.WriteAsync(_key, write, default)).Kind);
    }

    private async Task RefusesAsync(Node node)
    {
        var fault = await Assert.ThrowsAsync<SessionStoreException>(() => WriteAsync(node));
        Assert.True(GuardedSessionStore.WasNotAsked(fault));
        Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
    }

    private sealed class Node
    {
        private readonly SwitchingNodeDirectory _nodes;

        public Node(StandbyTests farm, string id)
        {
            (First, Standby) = (new CutStore(farm._first), new CutStore(farm._standby));
            var first = new SharedSite(First, farm._first, new CutNodes(farm._firstNodes, First), new MemoryKeyVault());
            var standby = new SharedSite(Standby, farm._standby, new CutNodes(farm._standbyNodes, Standby), new MemoryKeyVault());
            State = new StandbyState(new StandbyTimes(TimeSpan.FromSeconds(15)), farm._time);
            var endings = new StandbyEndings(farm._time);
            Store = new SwitchingSessionStore(first, standby, State, endings);
            _nodes = new SwitchingNodeDirectory(first, standby, State, farm._time);
            Keys = new SwitchingKeyVault(first, standby, State);
            Watch = new StandbyWatch(first, standby, State, endings, farm._time, Log);
            Record = new NodeRecord(NodeId.TryParse(id, out var node) ? node : default, Guid.NewGuid(), NodeState.Active, 0);
        }

        public CutStore First { get; }

        public CutStore Standby { get; }

        public StandbyState State { get; }

        public SwitchingSessionStore Store { get; }

        public SwitchingKeyVault Keys { get; }

        public StandbyWatch Watch { get; }

        public LogLines<StandbyWatch> Log { get; } = new();

        public NodeRecord Record { get; set; }

        public bool Beats { get; set; } = true;

        public async Task BeatAsync()
        {
            try
            {
                await (Beats ? _nodes.BeatAsync(Record, TimeSpan.FromSeconds(5), default).AsTask() : Task.CompletedTask);
            }
            catch (NodeDirectoryException)
            {
                // Cut off.
            }
        }
    }

    /// <summary>A store as one node sees it.</summary>
    private sealed class CutStore(ISessionStore inner) : ISessionStore
    {
        public bool IsCut { get; set; }

        public ISessionStore Inner { get; set; } = inner;

        public Task BeforeAnswer { get; set; } = Task.CompletedTask;

        public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => Reach().ReadAsync(key, known, cancellationToken);

        public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
        {
            var before = BeforeAnswer;
            var answer = await Reach().WriteAsync(key, write, cancellationToken);
            await before;
            return answer;
        }

        public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => Reach().TouchAsync(key, idle, cancellationToken);

        public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => Reach().DeleteAsync(key, remember, cancellationToken);

        private ISessionStore Reach() => IsCut ? throw new SessionStoreException(SessionStoreFault.NotApplied, "Cut off.") : Inner;
    }

    private sealed class CutNodes(INodeDirectory inner, CutStore store) : INodeDirectory
    {
        public ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken) =>
            store.IsCut ? throw new NodeDirectoryException("Cut off.") : inner.BeatAsync(self, deadAfter, cancellationToken);

        public ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) => inner.LeaveAsync(id, incarnation, cancellationToken);

        public ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken) => inner.AskAsync(id, wish, cancellationToken);
    }
}
