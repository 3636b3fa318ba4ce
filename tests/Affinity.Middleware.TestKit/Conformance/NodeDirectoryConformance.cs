using Affinity.Nodes;
using Xunit;

namespace Affinity.TestKit.Conformance;

/// <summary>The executable form of <see cref="INodeDirectory"/>. Each fact is given an empty directory.</summary>
public abstract partial class NodeDirectoryConformance
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    /// <summary>A directory that nobody else uses.</summary>
    protected abstract INodeDirectory Directory { get; }

    /// <summary>A limit that is comfortably longer than a few calls and short enough to wait for.</summary>
    protected virtual TimeSpan Soon => TimeSpan.FromSeconds(5);

    /// <summary>Lets at least this much of the directory's time pass.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    [Fact]
    public async Task A_node_alone_is_accepted_and_sees_itself()
    {
        var node = Node("a") with { InFlight = 7 };

        var beat = await BeatAsync(node);

        Assert.True(beat.Accepted);
        Assert.Equal([node], beat.Live);
    }

    [Fact]
    public async Task A_node_learns_whether_its_former_record_was_still_there_and_of_one_history()
    {
        var node = Node("a");
        var first = await BeatAsync(node);
        var second = await BeatAsync(node with { InFlight = 3 });
        var other = await BeatAsync(Node("b"));
        await Directory.LeaveAsync(node.Id, node.Incarnation, CancellationToken.None);
        var third = await BeatAsync(node);

        Assert.Equal((false, true, false, false), (first.Renewed, second.Renewed, other.Renewed, third.Renewed));
        Assert.Single(new[] { first, second, other, third }.Select(beat => beat.History).Distinct());
    }

    [Fact]
    public async Task Every_living_node_is_seen_in_ordinal_order()
    {
        NodeRecord[] nodes = [Node("b"), Node("a-2"), Node("B"), Node("a_1"), Node("0"), Node("a")];
        foreach (var node in nodes)
        {
            await BeatAsync(node);
        }

        var beat = await BeatAsync(nodes[0]);

        Assert.Equal("0 B a a-2 a_1 b", Names(beat));
    }

    [Fact]
    public async Task A_beat_replaces_what_the_node_told_before()
    {
        var node = Node("a");
        await BeatAsync(node);
        await BeatAsync(node with { State = NodeState.Draining, InFlight = int.MaxValue });

        var seen = (await BeatAsync(Node("b"))).Live[0];

        Assert.Equal(node with { State = NodeState.Draining, InFlight = int.MaxValue }, seen);
    }

    [Fact]
    public async Task Everything_that_a_node_tells_reaches_the_others()
    {
        var node = Node("a") with { State = NodeState.Draining, InFlight = 2, Bound = 41, Address = "[fd00::1]:8080", Track = "blue", Stopping = true };
        await BeatAsync(node);
        Assert.Equal(node, (await BeatAsync(Node("b"))).Live[0]);

        var bare = node with { State = NodeState.Active, InFlight = 0, Bound = 0, Address = null, Track = null, Stopping = false };
        await BeatAsync(bare);
        Assert.Equal(bare, (await BeatAsync(Node("c"))).Live[0]);
    }

    [Fact]
    public async Task Every_state_of_a_node_reaches_the_others()
    {
        foreach (var state in Enum.GetValues<NodeState>())
        {
            await BeatAsync(Node($"n{state:D}") with { State = state });
        }

        Assert.Equal([NodeState.Active, NodeState.Draining, NodeState.Starting], (await BeatAsync(Node("z"))).Live.Take(3).Select(node => node.State));
    }

    [Fact]
    public async Task What_a_node_tells_of_its_settings_reaches_the_others_as_it_is()
    {
        var settings = string.Concat(Enumerable.Repeat("1aZ09-_b", 128));
        var node = Node("a") with { Settings = settings };
        await BeatAsync(node);

        var seen = (await BeatAsync(Node("b"))).Live;

        Assert.Equal((settings, null), (seen[0].Settings, seen[1].Settings));
        await BeatAsync(node with { Settings = null });
        Assert.Null((await BeatAsync(Node("b"))).Live[0].Settings);
    }

    [Fact]
    public async Task Another_incarnation_of_a_living_name_is_refused_and_sees_the_holder()
    {
        var holder = Node("a") with { InFlight = 3 };
        await BeatAsync(holder);
        await BeatAsync(Node("b"));

        var beat = await BeatAsync(Node("a"));

        Assert.False(beat.Accepted);
        Assert.Equal("a b", Names(beat));
        Assert.Equal(holder, beat.Live[0]);
    }

    [Fact]
    public async Task A_refused_beat_does_not_prolong_the_holder()
    {
        await BeatAsync(Node("a"), Soon);
        Assert.False((await BeatAsync(Node("a"), Hour)).Accepted);
        await PassAsync(Soon);

        Assert.True((await BeatAsync(Node("a"))).Accepted);
    }

    [Fact]
    public async Task At_its_limit_a_node_is_gone_and_its_name_free()
    {
        await BeatAsync(Node("a"), Soon);
        await PassAsync(Soon);

        Assert.Equal("b", Names(await BeatAsync(Node("b"))));
        Assert.True((await BeatAsync(Node("a"))).Accepted);
    }

    [Fact]
    public async Task A_beat_prolongs_the_node_and_no_other()
    {
        var node = Node("a");
        await BeatAsync(node, Soon);
        await BeatAsync(Node("b"), Soon);
        await BeatAsync(node, Hour);
        await PassAsync(Soon);

        Assert.Equal("a c", Names(await BeatAsync(Node("c"))));
    }

    [Fact]
    public async Task A_node_that_leaves_is_gone_at_once()
    {
        var node = Node("a");
        await BeatAsync(node);
        await Directory.LeaveAsync(node.Id, node.Incarnation, CancellationToken.None);

        Assert.Equal("b", Names(await BeatAsync(Node("b"))));
    }

    [Fact]
    public async Task Only_the_holder_can_take_a_name_off()
    {
        await BeatAsync(Node("a"));
        await Directory.LeaveAsync(NodeId.Parse("a"), Guid.NewGuid(), CancellationToken.None);
        await Directory.LeaveAsync(NodeId.Parse("never-here"), Guid.NewGuid(), CancellationToken.None);

        Assert.Equal("a b", Names(await BeatAsync(Node("b"))));
    }

    [Fact]
    public async Task Of_many_that_start_with_one_name_exactly_one_is_accepted()
    {
        var beats = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => Task.Run(() => BeatAsync(Node("a")))));

        Assert.Single(beats, beat => beat.Accepted);
        Assert.All(beats, beat => Assert.Single(beat.Live));
    }

    [Fact]
    public async Task Fifty_nodes_that_beat_at_once_are_all_seen()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => BeatAsync(Node($"n{i}")))));

        Assert.Equal(51, (await BeatAsync(Node("last"))).Live.Count);
    }

    [Fact]
    public async Task Wrong_arguments_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => BeatAsync(null!));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => BeatAsync(Node("a"), TimeSpan.Zero));
        await Assert.ThrowsAsync<InvalidOperationException>(() => BeatAsync(Node("a") with { Id = default }));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => AskAsync("a", (NodeWish)99));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Directory.AskAsync(default, NodeWish.Drain, CancellationToken.None));
    }

    [Fact]
    public async Task A_cancelled_token_ends_every_call_at_once()
    {
        var cancelled = new CancellationToken(canceled: true);
        var node = Node("a");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.BeatAsync(node, Hour, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.LeaveAsync(node.Id, node.Incarnation, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Directory.AskAsync(node.Id, NodeWish.Drain, cancelled));
    }

    private static string Names(NodeBeat beat) => string.Join(' ', beat.Live.Select(node => node.Id.Value));

    private static NodeRecord Node(string id) => new(NodeId.Parse(id), Guid.NewGuid(), NodeState.Active, InFlight: 0);

    private async Task<NodeBeat> BeatAsync(NodeRecord node, TimeSpan? deadAfter = null) =>
        await Directory.BeatAsync(node, deadAfter ?? Hour, CancellationToken.None);
}
