using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class NodeCommandsTests : IDisposable
{
    private readonly FakeDirectory _directory = new() { Answer = FakeDirectory.AcceptWithPeer };
    private readonly ManualTime _time = new();
    private readonly LogLines<NodeCommands> _log = new();
    private readonly NodeMembership _node;
    private readonly Heartbeat _heartbeat;
    private readonly NodeCommands _commands;

    public NodeCommandsTests()
    {
        _node = TestNode.Create(_time);
        _heartbeat = new(_directory, _node, new NodeOptions(), new DrainOptions(), _time, TestMetrics.Create(), new LogLines<Heartbeat>());
        _commands = new(_directory, _node, _heartbeat, new NodeOptions(), _time, _log);
    }

    [Fact]
    public async Task A_directory_that_does_not_answer_holds_a_command_up_for_at_most_two_calls()
    {
        _directory.Hangs = true;
        var command = AskAsync("node-z", NodeWish.Drain);
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(NodeCommandOutcome.NotConfirmed, (await command).Outcome);
        Assert.Equal(["NodeCommandNotConfirmed"], _log.Events);
    }

    [Fact]
    public async Task A_client_that_goes_away_is_no_fault_of_the_directory()
    {
        _directory.Hangs = true;
        using var client = new CancellationTokenSource();
        var command = _commands.AskAsync(NodeId.Parse("node-z"), NodeWish.Drain, client.Token);
        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => command);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task A_node_that_tells_of_itself_in_an_unknown_form_can_be_asked_all_the_same()
    {
        var result = await AskAsync("of-tomorrow", NodeWish.Drain);

        Assert.Equal(new(NodeCommandOutcome.Accepted, Node: null), result);
        Assert.Contains("with its next heartbeat: its readiness says no", NodeCommands.NextAfter(NodeWish.Drain, result), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_has_lost_its_name_means_the_holder_of_it()
    {
        _directory.Answer = FakeDirectory.Refuse;

        var result = await AskAsync("node-a", NodeWish.Drain);

        Assert.Equal(NodeCommandOutcome.Accepted, result.Outcome);
        Assert.NotEqual(_node.Incarnation, result.Node?.Incarnation);
        Assert.Equal(NodeState.Active, _node.State);
    }

    [Fact]
    public async Task What_follows_is_told_by_what_the_node_does_already()
    {
        var told = new List<string>();
        foreach (var (wish, peer) in ((NodeWish, NodeRecord)[])
            [
                (NodeWish.Drain, FakeDirectory.Peer("node-z") with { State = NodeState.Draining, Stopping = true }),
                (NodeWish.Drain, FakeDirectory.Peer("node-z") with { State = NodeState.Draining }),
                (NodeWish.Serve, FakeDirectory.Peer("node-z")),
            ])
        {
            _directory.Answer = self => new(Accepted: true, [self, peer]);
            told.Add(NodeCommands.NextAfter(wish, await AskAsync("node-z", wish)));
        }

        Assert.Collection(
            told,
            next => Assert.StartsWith("It is stopping", next, StringComparison.Ordinal),
            next => Assert.StartsWith("It drains:", next, StringComparison.Ordinal),
            next => Assert.StartsWith("It takes visitors", next, StringComparison.Ordinal));
    }

    /// <summary>Readiness said 503 on every node, and the site was out of its balancer; the answer promised that the visitors are sent to other nodes.</summary>
    [Fact]
    public async Task A_drain_of_the_last_node_that_takes_visitors_is_told_as_such()
    {
        var peer = FakeDirectory.Peer("node-z");
        _directory.Answer = self => new(Accepted: true, [self, peer]) { Wish = NodeWish.Drain };
        Assert.StartsWith("It drains: its readiness says no", NodeCommands.NextAfter(NodeWish.Drain, await AskAsync("node-a", NodeWish.Drain)), StringComparison.Ordinal);

        // This one drains by now, so the other is the last.
        Assert.Contains("no other node takes visitors", NodeCommands.NextAfter(NodeWish.Drain, await AskAsync("node-z", NodeWish.Drain)), StringComparison.Ordinal);

        _directory.Answer = self => new(Accepted: true, [self, peer with { State = NodeState.Draining }]);
        Assert.Contains("no other node takes visitors", NodeCommands.NextAfter(NodeWish.Drain, await AskAsync("node-a", NodeWish.Drain)), StringComparison.Ordinal);
    }

    public void Dispose() => _heartbeat.Dispose();

    private Task<NodeCommandResult> AskAsync(string id, NodeWish wish) => _commands.AskAsync(NodeId.Parse(id), wish, CancellationToken.None);
}
