using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class LoadReleaseTests
{
    private static readonly StickinessOptions On = new() { ReleaseAbove = 1.5, ReleaseShare = 0.1 };
    private readonly ManualTime _time = new();

    [Theory]
    [InlineData(150, 50, 0)] // exactly 1.5 times the mean
    [InlineData(152, 48, 16)] // a tenth, rounded up
    [InlineData(3, 0, 1)]
    [InlineData(1, 0, 0)] // half a visitor above the mean is none
    [InlineData(0, 0, 0)]
    public void A_round_gives_away_a_share_of_what_is_above_the_mean(int own, int other, int expected) =>
        Assert.Equal(expected, Start(Node("a", bound: own), [Node("b", bound: other)]).Left);

    /// <summary>The least multiple was 1.1, with which one node added to ten changed nothing, ever.</summary>
    [Theory]
    [InlineData(10, 1, 1.1, false)]
    [InlineData(10, 1, 1.09, true)]
    [InlineData(4, 4, 2.0, false)]
    [InlineData(4, 4, 1.99, true)]
    [InlineData(40, 1, 1.02, true)]
    public void Nodes_that_are_added_are_given_visitors_when_the_multiple_is_less_than_they_have_grown(int nodes, int added, double above, bool releases)
    {
        var live = Enumerable.Range(0, nodes + added).Select(i => Node($"n{i}", bound: i < nodes ? 1100 : 0)).ToArray();

        Assert.Equal(releases, Start(live[0], live, new() { ReleaseAbove = above }).Left > 0);
    }

    [Fact]
    public void Nothing_is_released_when_it_is_off_or_this_node_drains()
    {
        Assert.Same(LoadRelease.Start, Start(Node("a", bound: 100), [Node("b")], new StickinessOptions()));
        Assert.Equal(0, Start(Node("a", NodeState.Draining, bound: 100), [Node("b")]).Left);
    }

    [Fact]
    public void A_node_is_compared_with_the_active_nodes_of_its_own_track() =>
        Assert.Equal(0, Start(Node("a", track: "blue", bound: 100), [Node("b", track: "green"), Node("c", NodeState.Draining, "blue")]).Left);

    [Fact]
    public void What_is_spent_comes_back_with_the_next_interval_and_not_before()
    {
        var (self, live) = (Node("a", bound: 20), new[] { Node("b") });
        var spent = Start(self, live).Spend();

        Assert.Equal(1, spent.Left);
        Assert.Equal(0, spent.Spend().Spend().Left);
        _time.Advance(On.ReleaseInterval - TimeSpan.FromTicks(1));
        Assert.Same(spent, spent.At(_time, self, live, On));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(2, spent.At(_time, self, live, On).Left);
    }

    /// <summary>A clock that was set back by an hour kept a node from releasing anybody for an hour.</summary>
    [Theory]
    [InlineData(-59)]
    [InlineData(59)]
    public void A_wall_clock_that_is_set_changes_nothing(int minutes)
    {
        var (self, live) = (Node("a", bound: 20), new[] { Node("b") });
        var spent = Start(self, live).Spend();

        _time.Skew(TimeSpan.FromMinutes(minutes));
        Assert.Same(spent, spent.At(_time, self, live, On));
        _time.Advance(On.ReleaseInterval);

        Assert.Equal(2, spent.At(_time, self, live, On).Left);
    }

    private LoadRelease Start(NodeRecord self, IReadOnlyList<NodeRecord> live, StickinessOptions? options = null) => LoadRelease.Start.At(_time, self, live, options ?? On);
}
