using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class HeartbeatServiceTests : IDisposable
{
    private readonly FakeDirectory _directory = new();
    private readonly NodeMembership _node;
    private readonly ManualTime _time = new();
    private readonly Keys _keys = new();
    private readonly Heartbeat _heartbeat;
    private readonly HeartbeatService _service;

    public HeartbeatServiceTests()
    {
        var options = new NodeOptions();
        _node = TestNode.Create(_time, serves: false);
        _heartbeat = new(_directory, _node, options, new DrainOptions(), _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        _service = new(_heartbeat, _node, new NodeHealth(_node, [_keys]), options, _time);
    }

    /// <summary>A node whose start-up took long was told to the others as active, without load, and so was the favourite of every node that drained: 10 of 10 visitors were sent to a port on which nobody listened.</summary>
    [Fact]
    public async Task Until_the_server_listens_the_others_are_told_that_the_node_is_starting_and_then_at_once_that_it_takes_visitors()
    {
        await _service.StartingAsync(CancellationToken.None);
        await _service.StartAsync(CancellationToken.None);
        Assert.Equal(NodeState.Starting, (await _directory.NextBeatAsync()).State);
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(NodeState.Starting, (await _directory.NextBeatAsync()).State);

        await _service.StartedAsync(CancellationToken.None);
        Assert.Equal(NodeState.Active, _directory.Seen[^1].State);
        Assert.Equal(3, _directory.Seen.Count);
        await _service.StoppedAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_node_without_its_keys_is_told_as_starting_until_it_has_them_and_then_whatever_comes_as_active()
    {
        _keys.Because = "No keys yet.";
        await StartAsync();
        Assert.Equal(NodeState.Starting, (await _directory.NextBeatAsync()).State);

        foreach (var (missing, told) in new (string?, NodeState)[] { ("No keys yet.", NodeState.Starting), (null, NodeState.Active), ("No keys any more.", NodeState.Active) })
        {
            _keys.Because = missing;
            await _time.WaitForArmedTimersAsync(1);
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.Equal(told, (await _directory.NextBeatAsync()).State);
        }

        await _service.StoppedAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_node_that_is_told_to_stop_while_it_starts_drains()
    {
        _node.BeginDrain(stops: true);
        await _service.StartingAsync(CancellationToken.None);
        Assert.Equal((NodeState.Draining, true), (_directory.Seen[0].State, _directory.Seen[0].Stopping));
        await _service.StoppedAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_directory_that_is_away_is_not_waited_for_twice()
    {
        _directory.Answer = FakeDirectory.Away;
        await StartAsync();
        Assert.Single(_directory.Seen);
        Assert.Equal(NodeState.Active, _node.ToRecord().State);
        await _service.StoppedAsync(CancellationToken.None);
    }

    [Fact]
    public async Task The_node_is_a_member_before_the_server_listens()
    {
        await _service.StartingAsync(CancellationToken.None);
        Assert.True(_node.HasJoined);
    }

    [Fact]
    public async Task A_directory_that_does_not_answer_holds_the_start_up_for_a_second_and_does_not_fail_it()
    {
        _directory.Hangs = true;
        var start = _service.StartingAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(1));
        await start;
        Assert.False(_node.HasJoined);
    }

    [Fact]
    public async Task A_beat_goes_out_with_every_interval_and_none_after_the_node_has_left()
    {
        await StartAsync();
        await _directory.NextBeatAsync();
        await _directory.NextBeatAsync();
        for (var i = 0; i < 3; i++)
        {
            await _time.WaitForArmedTimersAsync(1);
            _time.Advance(TimeSpan.FromSeconds(1));
            await _directory.NextBeatAsync();
        }

        await _service.StoppedAsync(CancellationToken.None);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal(5, _directory.Seen.Count);
        Assert.Equal((_node.Self, _node.Incarnation), Assert.Single(_directory.Left));
    }

    /// <summary>200 nodes that one command starts would beat in step from then on: what is measured for them is measured for beats that are spread.</summary>
    [Fact]
    public async Task The_second_beat_comes_after_the_nodes_own_time_and_the_next_one_an_interval_later()
    {
        var node = TestNode.Create(_time, phase: 1.25);
        using var heartbeat = new Heartbeat(_directory, node, new NodeOptions(), new DrainOptions(), _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        using var service = new HeartbeatService(heartbeat, node, new NodeHealth(node, []), new NodeOptions(), _time);
        await service.StartingAsync(CancellationToken.None);
        await _directory.NextBeatAsync();
        foreach (var rest in new[] { TimeSpan.FromSeconds(1.25), TimeSpan.FromSeconds(1) })
        {
            await _time.WaitForArmedTimersAsync(1);
            var before = _directory.Seen.Count;
            _time.Advance(rest - TimeSpan.FromTicks(1));
            Assert.Equal(before, _directory.Seen.Count);
            _time.Advance(TimeSpan.FromTicks(1));
            await _directory.NextBeatAsync();
        }

        await service.StoppedAsync(CancellationToken.None);
        Assert.Equal(3, _directory.Seen.Count);
    }

    [Fact]
    public void Nodes_that_start_together_have_different_times()
    {
        var phases = Enumerable.Range(0, 200).Select(_ => new NodeMembership(_node.Self, _node.Bound, _time).Phase).ToArray();

        Assert.All(phases, phase => Assert.InRange(phase, 0.5, 1.5));

        // 50 are expected in each quarter.
        Assert.All(Enumerable.Range(0, 4), quarter => Assert.True(phases.Count(phase => (int)((phase - 0.5) * 4) == quarter) > 10));
    }

    [Fact]
    public async Task A_node_that_has_not_joined_tries_again_every_second_however_long_its_interval()
    {
        using var rare = new HeartbeatService(_heartbeat, _node, new NodeHealth(_node, []), new NodeOptions { HeartbeatInterval = TimeSpan.FromMinutes(1) }, _time);
        _directory.Answer = FakeDirectory.Away;
        await rare.StartingAsync(CancellationToken.None);
        await _directory.NextBeatAsync();
        await _time.WaitForArmedTimersAsync(1);
        _directory.Answer = FakeDirectory.Accept;

        _time.Advance(TimeSpan.FromSeconds(1));
        await _directory.NextBeatAsync();

        await rare.StoppedAsync(CancellationToken.None);
        Assert.True(_node.HasJoined);
    }

    [Fact]
    public async Task The_node_leaves_even_when_the_hosts_patience_has_ended()
    {
        await _service.StartingAsync(CancellationToken.None);
        await _service.StoppedAsync(new CancellationToken(canceled: true));
        Assert.Single(_directory.Left);
    }

    [Fact]
    public async Task A_node_that_never_joined_does_not_take_the_holder_of_its_name_off()
    {
        _directory.Answer = FakeDirectory.Refuse;
        await _service.StartingAsync(CancellationToken.None);
        await _service.StoppedAsync(CancellationToken.None);
        Assert.All(_directory.Left, left => Assert.Equal(_node.Incarnation, left.Incarnation));
    }

    public void Dispose()
    {
        _service.Dispose();
        _heartbeat.Dispose();
    }

    private async Task StartAsync()
    {
        await _service.StartingAsync(CancellationToken.None);
        await _service.StartAsync(CancellationToken.None);
        await _service.StartedAsync(CancellationToken.None);
    }

    private sealed class Keys : IReadinessCheck
    {
        public string? Because { get; set; }

        public string? NotReadyBecause() => Because;
    }
}
