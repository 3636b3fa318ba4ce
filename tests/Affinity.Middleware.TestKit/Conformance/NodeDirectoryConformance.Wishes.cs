using Affinity.Nodes;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class NodeDirectoryConformance
{
    [Fact]
    public async Task A_node_of_whom_nothing_was_asked_has_no_wish() => Assert.Null((await BeatAsync(Node("a"))).Wish);

    [Fact]
    public async Task A_wish_reaches_the_node_with_its_next_beat_and_every_one_after_it()
    {
        var node = Node("a");
        await BeatAsync(node);
        Assert.True(await AskAsync("a", NodeWish.Drain));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(NodeWish.Drain, (await BeatAsync(node)).Wish);
        }
    }

    [Fact]
    public async Task A_wish_lives_as_long_as_the_node_goes_on_beating()
    {
        var node = Node("a");
        await BeatAsync(node, Soon);
        await AskAsync("a", NodeWish.Drain);
        await BeatAsync(node, Soon * 3);
        await PassAsync(Soon * 1.5);
        Assert.Equal(NodeWish.Drain, (await BeatAsync(node, Hour)).Wish);
        await PassAsync(Soon * 2);

        Assert.Equal(NodeWish.Drain, (await BeatAsync(node)).Wish);
    }

    [Fact]
    public async Task The_last_wish_stands()
    {
        var node = Node("a");
        await BeatAsync(node);
        await AskAsync("a", NodeWish.Drain);
        await AskAsync("a", NodeWish.Serve);
        Assert.Equal(NodeWish.Serve, (await BeatAsync(node)).Wish);

        await AskAsync("a", NodeWish.Drain);
        Assert.Equal(NodeWish.Drain, (await BeatAsync(node)).Wish);
    }

    [Fact]
    public async Task A_wish_is_for_one_node_alone_and_is_none_itself()
    {
        var (a, b) = (Node("a"), Node("b"));
        await BeatAsync(a);
        await BeatAsync(b);
        await AskAsync("b", NodeWish.Drain);

        var beat = await BeatAsync(a);

        Assert.Null(beat.Wish);
        Assert.Equal([a, b], beat.Live);
        Assert.Equal(NodeWish.Drain, (await BeatAsync(b)).Wish);
    }

    [Fact]
    public async Task The_wish_for_the_holder_of_a_name_is_not_for_another_incarnation()
    {
        await BeatAsync(Node("a"));
        await AskAsync("a", NodeWish.Drain);

        var beat = await BeatAsync(Node("a"));

        Assert.False(beat.Accepted);
        Assert.Null(beat.Wish);
    }

    [Fact]
    public async Task A_wish_ends_when_the_node_leaves()
    {
        var node = Node("a");
        await BeatAsync(node);
        await AskAsync("a", NodeWish.Drain);
        await Directory.LeaveAsync(node.Id, node.Incarnation, CancellationToken.None);

        Assert.Null((await BeatAsync(Node("a"))).Wish);
        Assert.Null((await BeatAsync(Node("b"))).Wish);
    }

    [Fact]
    public async Task A_wish_ends_when_the_node_dies_and_its_successor_has_none()
    {
        await BeatAsync(Node("a"), Soon);
        await AskAsync("a", NodeWish.Drain);
        await PassAsync(Soon);
        var successor = Node("a");

        Assert.Null((await BeatAsync(successor)).Wish);
        Assert.True(await AskAsync("a", NodeWish.Serve));
        Assert.Equal(NodeWish.Serve, (await BeatAsync(successor)).Wish);
    }

    [Fact]
    public async Task Somebody_elses_leaving_ends_no_wish()
    {
        var node = Node("a");
        await BeatAsync(node);
        await AskAsync("a", NodeWish.Drain);
        await Directory.LeaveAsync(node.Id, Guid.NewGuid(), CancellationToken.None);

        Assert.Equal(NodeWish.Drain, (await BeatAsync(node)).Wish);
    }

    [Fact]
    public async Task Nothing_can_be_asked_of_a_node_that_does_not_live()
    {
        await BeatAsync(Node("dead"), Soon);
        var left = Node("left");
        await BeatAsync(left);
        await Directory.LeaveAsync(left.Id, left.Incarnation, CancellationToken.None);
        await PassAsync(Soon);

        Assert.False(await AskAsync("never-here", NodeWish.Drain));
        Assert.False(await AskAsync("dead", NodeWish.Drain));
        Assert.False(await AskAsync("left", NodeWish.Drain));

        foreach (var id in (string[])["never-here", "dead", "left"])
        {
            Assert.Null((await BeatAsync(Node(id))).Wish);
        }
    }

    [Fact]
    public async Task Of_many_wishes_at_once_one_stands_and_every_one_was_taken()
    {
        var node = Node("a");
        await BeatAsync(node);

        var taken = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => Task.Run(() => AskAsync("a", i % 2 == 0 ? NodeWish.Drain : NodeWish.Serve))));

        Assert.All(taken, Assert.True);
        Assert.NotNull((await BeatAsync(node)).Wish);
    }

    private async Task<bool> AskAsync(string id, NodeWish wish) => await Directory.AskAsync(NodeId.Parse(id), wish, CancellationToken.None);
}
