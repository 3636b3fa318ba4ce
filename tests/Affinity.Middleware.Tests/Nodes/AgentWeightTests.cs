using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class AgentWeightTests
{
    private static readonly TimeSpan LongTime = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData(0, 0, 100)]
    [InlineData(10, 10, 100)]
    [InlineData(1, 100, 100)]
    [InlineData(200, 100, 50)]
    [InlineData(125, 100, 80)]
    [InlineData(1_000, 100, 10)]
    [InlineData(long.MaxValue, 1, 10)]
    [InlineData(5, 0, 10)]
    public void In_the_end_a_node_asks_for_its_share_of_the_mean(long load, double mean, int percent) =>
        Assert.Equal(percent, AgentWeight.Start.After(LongTime, load, mean).Percent);

    [Fact]
    public void It_goes_half_of_the_way_in_five_seconds() =>
        Assert.Equal(75, AgentWeight.Start.After(TimeSpan.FromSeconds(5), load: 200, mean: 100).Percent);

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(50)]
    public void How_often_it_is_asked_changes_nothing(int timesPerSecond)
    {
        var weight = AgentWeight.Start;
        for (var i = 0; i < 5 * timesPerSecond; i++)
        {
            weight = weight.After(TimeSpan.FromSeconds(1.0 / timesPerSecond), load: 200, mean: 100);
        }

        Assert.Equal(75, weight.Smoothed, precision: 6);
    }

    [Fact]
    public void A_burst_of_a_second_is_hardly_seen() =>
        Assert.InRange(AgentWeight.Start.After(TimeSpan.FromSeconds(1), load: 300, mean: 100).Percent, 90, 95);

    [Fact]
    public void A_load_that_wanders_around_the_mean_does_not_flap()
    {
        var (weight, changes) = (AgentWeight.Start, 0);
        for (var second = 0; second < 600; second++)
        {
            var next = weight.After(TimeSpan.FromSeconds(1), load: second % 2 == 0 ? 110 : 90, mean: 100);
            changes += next.Percent == weight.Percent ? 0 : 1;
            weight = next;
        }

        Assert.InRange(changes, 0, 1);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(10)]
    public void Both_ends_are_reached_from_the_other(int end)
    {
        var weight = new AgentWeight(110 - end, 110 - end);
        for (var second = 0; second < 60; second++)
        {
            weight = weight.After(TimeSpan.FromSeconds(1), load: end == 100 ? 1 : 10_000, mean: 100);
        }

        Assert.Equal(end, weight.Percent);
    }
}
