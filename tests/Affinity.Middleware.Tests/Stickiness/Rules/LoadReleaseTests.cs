using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class LoadReleaseTests
{
    private static readonly StickinessOptions On = new() { ReleaseAbove = 1.5, ReleaseShare = 0.1 };

    [Theory]
    [InlineData(150, 50, 0)] // exactly 1.5 times the mean
    [InlineData(152, 48, 16)] // a tenth, rounded up
    [InlineData(3, 0, 1)]
    [InlineData(1, 0, 0)] // half a visitor above the mean is none
    [InlineData(0, 0, 0)]
    public void A_round_gives_away_a_share_of_what_is_above_the_mean(int own, int other, int expected) =>
        Assert.Equal(expected, LoadRelease.Start.At(Now, Node("a", bound: own), [Node("b", bound: other)], On).Left);

    [Fact]
    public void Nothing_is_released_when_it_is_off_or_this_node_drains()
    {
        Assert.Same(LoadRelease.Start, LoadRelease.Start.At(Now, Node("a", bound: 100), [Node("b")], new StickinessOptions()));
        Assert.Equal(0, LoadRelease.Start.At(Now, Node("a", NodeState.Draining, bound: 100), [Node("b")], On).Left);
    }

    [Fact]
    public void A_node_is_compared_with_the_active_nodes_of_its_own_track() =>
        Assert.Equal(0, LoadRelease.Start.At(Now, Node("a", track: "blue", bound: 100), [Node("b", track: "green"), Node("c", NodeState.Draining, "blue")], On).Left);

    [Fact]
    public void What_is_spent_comes_back_with_the_next_interval_and_not_before()
    {
        var (self, live) = (Node("a", bound: 20), new[] { Node("b") });
        var spent = LoadRelease.Start.At(Now, self, live, On).Spend();

        Assert.Equal(1, spent.Left);
        Assert.Equal(0, spent.Spend().Spend().Left);
        Assert.Same(spent, spent.At(Now + On.ReleaseInterval - TimeSpan.FromTicks(1), self, live, On));
        Assert.Equal(2, spent.At(Now + On.ReleaseInterval, self, live, On).Left);
    }
}
