using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class DrainServiceTests
{
    private readonly FakeDirectory _directory = new() { Answer = FakeDirectory.AcceptWithPeer };
    private readonly NodeMembership _node;
    private readonly ManualTime _time = new();
    private readonly LogLines<DrainService> _log = new();
    private readonly DrainOptions _options = new();
    private readonly DrainService _drain;

    public DrainServiceTests()
    {
        _node = TestNode.Create(_time);
        var heartbeat = new Heartbeat(_directory, _node, new NodeOptions(), new DrainOptions(), _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        _drain = new(_node, heartbeat, _options, _time, _log);
    }

    /// <summary>With sessions in cookies and no store the directory never shows a peer: the drain took 8 ms whatever the notice was, and no balancer's check ever saw it.</summary>
    [Fact]
    public async Task Balancers_get_the_notice_where_nodes_cannot_know_each_other_and_nobody_is_evacuated()
    {
        var drain = Alone(PeerSight.Blind).StoppingAsync(CancellationToken.None);
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Notice - TimeSpan.FromTicks(1));
        Assert.False(drain.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await drain;
        Assert.Contains("for 00:00:03 so that balancers notice, then for 00:00:00", _log.TextOf("DrainBegan"), StringComparison.Ordinal);
        Assert.Contains("without a store other nodes are not known", _log.TextOf("DrainBegan"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(nameof(PeerSight.Alone), "no store is configured, so this is the only node")]
    [InlineData(nameof(PeerSight.All), "no other node takes visitors")]
    public async Task A_drain_that_waits_for_nobody_says_why(string sight, string because)
    {
        await Alone(Enum.Parse<PeerSight>(sight)).StoppingAsync(CancellationToken.None);
        Assert.EndsWith(because + ".", _log.TextOf("DrainBegan"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Readiness_and_the_other_nodes_know_before_the_notice_begins()
    {
        var drain = _drain.StoppingAsync(CancellationToken.None);
        Assert.Equal(NodeState.Draining, _node.State);
        Assert.Equal(NodeState.Draining, Assert.Single(_directory.Seen).State);
        Assert.False(drain.IsCompleted);
        await EndNoticeAsync();
        await drain;
    }

    [Fact]
    public async Task The_node_serves_on_for_the_whole_notice_although_nothing_is_in_flight()
    {
        var drain = _drain.StoppingAsync(CancellationToken.None);
        _time.Advance(_options.Notice - TimeSpan.FromTicks(1));
        Assert.False(drain.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await drain;
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    [Fact]
    public async Task The_notice_is_skipped_when_no_other_node_could_take_over()
    {
        _directory.Answer = FakeDirectory.Accept;
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    [Fact]
    public async Task Bound_visitors_are_given_the_evacuation_on_top_of_the_notice()
    {
        _node.Bound.Stays(1);
        var drain = _drain.StoppingAsync(CancellationToken.None);
        await EndNoticeAsync();
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Evacuation - TimeSpan.FromTicks(1));
        Assert.False(drain.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await drain;
        Assert.Contains("1 visitor(s) who made no request meanwhile", _log.TextOf("DrainEnded"), StringComparison.Ordinal);
    }

    /// <summary>With Redis' <c>volatile-ttl</c> the directory is what is evicted first: until the others had beaten again a drain saw no peers and left out its notice.</summary>
    [Fact]
    public async Task A_directory_that_has_just_lost_its_data_does_not_make_a_node_the_last_one()
    {
        var heartbeat = new Heartbeat(_directory, _node, new NodeOptions(), _options, _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        await heartbeat.BeatAsync(CancellationToken.None);
        _directory.Answer = FakeDirectory.Accept;
        await heartbeat.BeatAsync(CancellationToken.None);
        _directory.Answer = self => FakeDirectory.Accept(self) with { Renewed = true };
        await heartbeat.BeatAsync(CancellationToken.None);

        var drain = _drain.StoppingAsync(CancellationToken.None);
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Notice - TimeSpan.FromTicks(1));
        Assert.False(drain.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await drain;
    }

    [Fact]
    public async Task Peers_that_have_not_come_back_by_the_time_that_kills_a_node_are_gone()
    {
        var heartbeat = new Heartbeat(_directory, _node, new NodeOptions(), _options, _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        await heartbeat.BeatAsync(CancellationToken.None);
        _directory.Answer = FakeDirectory.Accept;
        await heartbeat.BeatAsync(CancellationToken.None);
        Assert.True(_node.HasActivePeers);
        _directory.Answer = self => FakeDirectory.Accept(self) with { Renewed = true };
        await heartbeat.BeatAsync(CancellationToken.None);
        _time.Advance(new NodeOptions().DeadAfter);
        Assert.False(_node.HasActivePeers);
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    /// <summary>With tracks, or bound from the first response on, visitors without a session are bound too, and were never sent away: nothing counts them.</summary>
    [Fact]
    public async Task Visitors_who_are_bound_and_not_counted_are_given_the_evacuation_too()
    {
        var drain = Drain(TestNode.Create(_time, countsAll: false)).StoppingAsync(CancellationToken.None);
        await EndNoticeAsync();
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Evacuation - TimeSpan.FromTicks(1));
        Assert.False(drain.IsCompleted);
        _time.Advance(TimeSpan.FromTicks(1));
        await drain;
    }

    [Fact]
    public async Task A_node_that_was_drained_by_command_stops_without_draining_again()
    {
        _node.Bound.Stays(1);
        _node.BeginDrain(stops: false);
        _time.Advance(_options.Notice + _options.Evacuation);
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.True(_node.IsStopping);
    }

    [Fact]
    public async Task Nobody_waits_for_peers_that_drain_themselves()
    {
        _directory.Answer = self => new(Accepted: true, [self, FakeDirectory.Peer("node-z") with { State = NodeState.Draining }]);
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    [Fact]
    public async Task Requests_in_flight_finish_before_the_server_stops()
    {
        var slow = _node.Requests.Enter();
        var drain = _drain.StoppingAsync(CancellationToken.None);
        await EndNoticeAsync();
        await _time.WaitForArmedTimersAsync(1);
        _node.Requests.Leave(_node.Requests.Enter());
        Assert.False(drain.IsCompleted);
        _node.Requests.Leave(slow);
        await drain;
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    /// <summary>Requests of 100 ms that overlapped by one had a drain wait for its whole time limit, and then blame them for being long.</summary>
    [Fact]
    public async Task Steady_traffic_does_not_hold_the_stop_up()
    {
        var entered = _node.Requests.Enter();
        var drain = _drain.StoppingAsync(CancellationToken.None);
        await EndNoticeAsync();
        await _time.WaitForArmedTimersAsync(1);
        var next = _node.Requests.Enter();
        _node.Requests.Leave(entered);
        await drain.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Contains("1 request(s) that came later", _log.TextOf("DrainEnded"), StringComparison.Ordinal);
        _node.Requests.Leave(next);
    }

    [Fact]
    public async Task Requests_that_do_not_end_hold_the_stop_up_for_the_timeout_and_are_counted()
    {
        _node.Requests.Enter();
        var drain = _drain.StoppingAsync(CancellationToken.None);
        await EndNoticeAsync();
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Timeout);
        await drain;
        Assert.Contains("with 1 request(s) in flight", _log.TextOf("DrainCutShort"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_hosts_patience_ends_every_wait(bool afterTheNotice)
    {
        _node.Requests.Enter();
        using var patience = new CancellationTokenSource();
        var drain = _drain.StoppingAsync(patience.Token);
        if (afterTheNotice)
        {
            await EndNoticeAsync();
        }

        await patience.CancelAsync();
        await drain;
        Assert.Equal(["DrainBegan", "DrainCutShort"], _log.Events);
    }

    [Fact]
    public async Task A_directory_that_is_away_does_not_keep_a_node_from_draining()
    {
        _directory.Answer = FakeDirectory.Away;
        await _drain.StoppingAsync(CancellationToken.None);
        Assert.Equal(["DrainBegan", "DrainEnded"], _log.Events);
    }

    /// <summary>A node with a visitor, whose directory shows it alone.</summary>
    private DrainService Alone(PeerSight sight)
    {
        _directory.Answer = FakeDirectory.Accept;
        var node = TestNode.Create(_time, sight: sight);
        node.Bound.Stays(1);
        return Drain(node);
    }

    private DrainService Drain(NodeMembership node) =>
        new(node, new Heartbeat(_directory, node, new NodeOptions(), _options, _time, TestMetrics.Create(), new LogLines<Heartbeat>()), _options, _time, _log);

    private async Task EndNoticeAsync()
    {
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(_options.Notice);
    }
}
