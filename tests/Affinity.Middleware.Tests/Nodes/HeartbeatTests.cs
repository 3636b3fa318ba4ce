using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class HeartbeatTests : IDisposable
{
    private readonly FakeDirectory _directory = new();
    private readonly NodeMembership _node;
    private readonly ManualTime _time = new();
    private readonly LogLines<Heartbeat> _log = new();
    private readonly Heartbeat _heartbeat;

    public HeartbeatTests()
    {
        _node = TestNode.Create(_time);
        _heartbeat = new(_directory, _node, new NodeOptions(), new DrainOptions(), _time, TestMetrics.Create(), _log);
    }

    [Fact]
    public async Task A_node_joins_with_its_first_accepted_beat_and_says_so_once()
    {
        _directory.Answer = FakeDirectory.AcceptWithPeer;
        await BeatAsync(3);
        Assert.True(_node.HasJoined);
        Assert.Null(_node.Problem);
        Assert.True(_node.HasPeers);
        Assert.Equal(["node-a", "node-z"], _node.Live.Select(n => n.Id.Value), StringComparer.Ordinal);
        Assert.Equal(["NodeJoined"], _log.Events);
    }

    [Fact]
    public async Task A_beat_tells_state_and_requests_in_flight()
    {
        _node.Requests.Enter();
        _node.Bound.Stays(1);
        _node.Bound.Stays(2);
        _node.BeginDrain(stops: true);
        await BeatAsync();
        Assert.Equal(new NodeRecord(_node.Self, _node.Incarnation, NodeState.Draining, 1) { Bound = 2, Stopping = true }, Assert.Single(_directory.Seen));
    }

    [Fact]
    public async Task A_wish_to_drain_is_followed_told_once_and_can_be_taken_back()
    {
        _directory.Answer = self => FakeDirectory.AcceptWithPeer(self) with { Wish = NodeWish.Drain };
        await BeatAsync(2);
        Assert.Equal((NodeState.Draining, false), (_node.State, _node.IsStopping));
        _directory.Answer = self => FakeDirectory.AcceptWithPeer(self) with { Wish = NodeWish.Serve };
        await BeatAsync(2);
        Assert.Equal(NodeState.Active, _node.State);
        Assert.Equal(["DrainAsked", "NodeJoined", "DrainTakenBack"], _log.Events);
    }

    /// <summary>After a fail-over a node may beat more than once before the others are connected again: who asks nobody then tells a loss that may be none.</summary>
    [Fact]
    public async Task Who_lived_a_moment_ago_counts_among_whom_to_ask_until_they_would_be_dead()
    {
        _directory.Answer = FakeDirectory.AcceptWithPeer;
        await BeatAsync();
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync(3);
        Assert.Equal((false, 1), (_node.HasPeers, _node.PeersLately));
        _time.Advance(_node.DeadAfter);
        Assert.Equal(1, _node.PeersLately);
        await BeatAsync();
        Assert.Equal(0, _node.PeersLately);
    }

    [Fact]
    public async Task Who_lived_before_a_directory_was_away_for_long_counts_until_it_has_answered_twice()
    {
        _directory.Answer = FakeDirectory.AcceptWithPeer;
        await BeatAsync();
        _directory.Answer = FakeDirectory.Away;
        _time.Advance(_node.DeadAfter * 3);
        await BeatAsync();
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync();
        Assert.Equal((false, 1), (_node.HasPeers, _node.PeersLately));
        _time.Advance(_node.DeadAfter);
        await BeatAsync();
        Assert.Equal(0, _node.PeersLately);
    }

    [Fact]
    public async Task What_no_node_tells_counts_as_not_told()
    {
        var peer = FakeDirectory.Peer("node-z");
        _directory.Answer = self => new(Accepted: true, [self, peer with { InFlight = -5, Bound = -1, Address = "10.0.0.1:80\r\nSet-Cookie: x=1", Track = "blue; Path=/" }]);
        await BeatAsync();
        Assert.Equal(peer, _node.Live[1]);
    }

    [Fact]
    public void A_node_that_drains_by_command_and_is_told_to_stop_says_so_at_once()
    {
        _node.BeginDrain(stops: false);
        Assert.False(_node.Record.Stopping);
        _node.BeginDrain(stops: true);
        Assert.True(_node.Record.Stopping);
    }

    [Fact]
    public async Task A_node_that_stops_follows_no_wish_to_serve()
    {
        _node.BeginDrain(stops: true);
        _directory.Answer = self => FakeDirectory.AcceptWithPeer(self) with { Wish = NodeWish.Serve };
        await BeatAsync();
        Assert.True(_node.IsStopping);
    }

    [Fact]
    public async Task A_node_whose_name_is_taken_is_not_a_member_and_names_the_cure_once()
    {
        _directory.Answer = FakeDirectory.Refuse;
        await BeatAsync(3);
        Assert.False(_node.HasJoined);
        Assert.Contains("Affinity:Node:Id", _node.Problem, StringComparison.Ordinal);
        Assert.Equal(["NodeNameTaken"], _log.Events);
        Assert.Contains("Affinity:Node:DeadAfter", _log.TextOf("NodeNameTaken"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_whose_name_becomes_free_joins_by_itself()
    {
        _directory.Answer = FakeDirectory.Refuse;
        await BeatAsync(2);
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync();
        Assert.True(_node.HasJoined);
        Assert.Null(_node.Problem);
        Assert.Equal(["NodeNameTaken", "NodeJoined"], _log.Events);
    }

    [Fact]
    public async Task A_member_that_loses_its_name_after_a_long_pause_is_no_member_any_more()
    {
        await BeatAsync();
        _directory.Answer = FakeDirectory.Refuse;
        await BeatAsync(2);
        Assert.False(_node.HasJoined);
        Assert.Equal(["NodeJoined", "NodeNameTaken"], _log.Events);
    }

    [Fact]
    public async Task A_directory_that_is_away_at_the_start_leaves_the_node_outside_until_it_answers()
    {
        _directory.Answer = FakeDirectory.Away;
        await BeatAsync(3);
        Assert.False(_node.HasJoined);
        Assert.Contains("2030-01-01 12:00:00Z", _node.Problem, StringComparison.Ordinal);

        _time.Advance(TimeSpan.FromSeconds(90));
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync(2);
        Assert.True(_node.HasJoined);
        Assert.Null(_node.Problem);
        Assert.Equal(["NodeDirectoryLost", "NodeDirectoryRestored", "NodeJoined"], _log.Events);
        Assert.Contains("00:01:30", _log.TextOf("NodeDirectoryRestored"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_that_goes_away_later_takes_neither_the_membership_nor_what_was_known()
    {
        _directory.Answer = FakeDirectory.AcceptWithPeer;
        await BeatAsync();
        _directory.Answer = FakeDirectory.Away;
        await BeatAsync(3);
        Assert.True(_node.HasJoined);
        Assert.NotNull(_node.Problem);
        Assert.Equal(2, _node.Live.Count);

        _directory.Answer = FakeDirectory.AcceptWithPeer;
        await BeatAsync(2);
        Assert.Null(_node.Problem);
        Assert.Equal(["NodeJoined", "NodeDirectoryLost", "NodeDirectoryRestored"], _log.Events);
    }

    [Fact]
    public async Task A_taken_name_stays_taken_while_the_directory_is_away()
    {
        _directory.Answer = FakeDirectory.Refuse;
        await BeatAsync();
        _directory.Answer = FakeDirectory.Away;
        await BeatAsync();
        Assert.False(_node.HasJoined);
    }

    [Fact]
    public async Task A_directory_that_does_not_answer_holds_a_beat_up_for_at_most_a_second()
    {
        _directory.Hangs = true;
        var beat = BeatAsync();
        _time.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(beat.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await beat;
        Assert.Equal(["NodeDirectoryLost"], _log.Events);
    }

    [Fact]
    public async Task A_directory_with_a_bug_does_not_stop_the_heart()
    {
        _directory.Answer = _ => throw new InvalidOperationException("A bug.");
        await BeatAsync();
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync();
        Assert.True(_node.HasJoined);
    }

    [Fact]
    public async Task The_callers_token_ends_a_beat_and_counts_as_no_outage()
    {
        _directory.Hangs = true;
        using var stop = new CancellationTokenSource();
        var beat = _heartbeat.BeatAsync(stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => beat);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task Leaving_is_bounded_and_never_throws()
    {
        _directory.Hangs = true;
        var leave = _heartbeat.LeaveAsync();
        _time.Advance(TimeSpan.FromSeconds(1));
        await leave;
        Assert.Equal(["NodeNotTakenOff"], _log.Events);
    }

    public void Dispose() => _heartbeat.Dispose();

    private async Task BeatAsync(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            await _heartbeat.BeatAsync(CancellationToken.None);
        }
    }
}
