using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class TargetChoiceTests
{
    private static readonly NodeId Self = NodeId.Parse("a");

    [Fact]
    public void The_track_comes_first_then_any_active_node_then_none()
    {
        NodeRecord[] live = [Node("a", track: "blue"), Node("b", track: "blue", bound: 1000), Node("c", track: "green"), Node("d", NodeState.Draining, "red")];

        Assert.Equal("b", Choose(live, "blue"));
        Assert.True(Choose(live, "red") is "b" or "c");
        Assert.True(Choose(live, track: null) is "b" or "c");
        Assert.Equal("e", Choose([.. live, Node("e", bound: 1000)], track: null));
        Assert.Null(Choose([Node("a"), Node("d", NodeState.Draining)], "blue"));
        Assert.Null(Choose([], track: null));
    }

    [Fact]
    public void Of_two_the_lighter_one_is_taken_whichever_is_drawn_first()
    {
        NodeRecord[] live = [Node("b", bound: 11), Node("c") with { InFlight = 1 }];
        for (ulong i = 0; i < 64; i++)
        {
            Assert.Equal("c", Choose(live, track: null, ulong.RotateLeft(0x9E37_79B9_7F4A_7C15 * i, (int)i)));
        }
    }

    [Fact]
    public void The_heaviest_of_many_is_never_taken_and_equals_are_taken_alike()
    {
        NodeRecord[] live = [Node("b", bound: 1), Node("c"), Node("d"), Node("e"), Node("f")];
        var random = new Random(1);

        var counts = Enumerable.Range(0, 20_000).Select(_ => Choose(live, track: null, (ulong)random.NextInt64(long.MinValue, long.MaxValue))).CountBy(id => id ?? "").ToDictionary();

        Assert.DoesNotContain("b", counts.Keys);
        Assert.All(counts.Values, count => Assert.InRange(count, 4_700, 5_300));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(ulong.MaxValue)]
    [InlineData(uint.MaxValue)]
    public void The_ends_of_the_random_range_choose_too(ulong random) => Assert.NotNull(Choose([Node("b"), Node("c"), Node("d")], track: null, random));

    private static string? Choose(NodeRecord[] live, string? track, ulong random = 7) => TargetChoice.Choose(live, Self, track, random)?.Id.Value;
}
