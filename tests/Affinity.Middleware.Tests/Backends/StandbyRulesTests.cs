using Affinity.Backends.Standby;
using Xunit;

namespace Affinity.Tests.Backends;

/// <summary>Every arrow of the decision which of two stores to use. The times are 15 s and a lease of 5.</summary>
public sealed class StandbyRulesTests
{
    private static readonly StandbyTimes Times = new(TimeSpan.FromSeconds(15));

    private static readonly StandbyDecision AtFirst = new(StandbySite.First, StandbySite.First, StandbySite.First);
    private static readonly StandbyDecision AtStandby = new(StandbySite.Standby, StandbySite.Standby, StandbySite.Standby);

    /// <summary>A quiet day: both stores answered a second ago and nobody has ever moved.</summary>
    private static readonly StandbyFacts Quiet = new()
    {
        OrderAge = TimeSpan.MaxValue,
        OrderRead = Seconds(1),
        FirstAnswered = Seconds(1),
        FirstNodesRead = Seconds(1),
        Running = Seconds(1000),
    };

    [Fact]
    public void On_a_quiet_day_the_first_store_is_used() => Assert.Equal(AtFirst, Decide(Quiet));

    [Theory]
    [InlineData(14.999, false)]
    [InlineData(15, true)]
    [InlineData(500, true)]
    public void When_the_first_store_has_been_away_for_long_enough_a_node_has_all_move(double seconds, bool moves) =>
        Assert.Equal(AtFirst with { Moves = moves }, Decide(Quiet with { FirstAnswered = Seconds(seconds) }));

    [Fact]
    public void A_node_that_never_reached_the_first_store_moves_nobody() => Assert.False(Decide(Quiet with { FirstAnswered = null }).Moves);

    [Theory]
    [InlineData(5)]
    [InlineData(100)]
    public void A_node_that_cannot_read_the_standby_moves_nobody(double seconds) =>
        Assert.False(Decide(Quiet with { FirstAnswered = Seconds(60), OrderRead = Seconds(seconds) }).Moves);

    [Theory]
    [InlineData(0)]
    [InlineData(4.999)]
    public void Until_an_order_to_move_takes_effect_nobody_writes_and_reads_stay_where_they_were(double seconds) =>
        Assert.Equal(new(StandbySite.First, Reads: StandbySite.First, Writes: null), Decide(Moved(seconds)));

    [Fact]
    public void After_one_lease_the_standby_is_used_and_nobody_goes_back_though_the_first_store_answers() => Assert.Equal(AtStandby, Decide(Moved(5) with { FirstAnswered = Seconds(0) }));

    [Fact]
    public void At_the_standby_the_first_store_may_be_away_for_ever() => Assert.Equal(AtStandby, Decide(Moved(5000) with { FirstAnswered = Seconds(5000) }));

    [Theory]
    [InlineData(4.999, true)]
    [InlineData(5, false)]
    public void A_node_that_has_not_read_the_order_for_a_lease_does_not_use_the_standby(double seconds, bool uses)
    {
        var decision = Decide(Moved(100) with { OrderRead = Seconds(seconds) });

        Assert.Equal(uses ? AtStandby : new(StandbySite.Standby, Reads: null, Writes: null), decision);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4.999)]
    public void Until_an_order_to_return_takes_effect_nobody_writes_and_reads_stay_at_the_standby(double seconds) =>
        Assert.Equal(new(StandbySite.Standby, Reads: StandbySite.Standby, Writes: null), Decide(Returned(seconds)));

    [Fact]
    public void After_one_lease_the_first_store_is_used_again() => Assert.Equal(AtFirst, Decide(Returned(5)));

    [Fact]
    public void A_first_store_that_goes_away_again_is_left_again() => Assert.True(Decide(Returned(500) with { FirstAnswered = Seconds(15) }).Moves);

    [Fact]
    public void While_an_order_is_under_way_nobody_gives_another_one() => Assert.All([Moved(1), Returned(1)], facts => Assert.False(Decide(facts with { FirstAnswered = Seconds(60) }).Moves));

    [Fact]
    public void While_the_standby_is_away_and_every_node_is_seen_at_the_first_store_that_is_used() =>
        Assert.Equal(AtFirst, Decide(Quiet with { OrderRead = Seconds(5000) }));

    [Fact]
    public void While_the_standby_is_away_and_a_node_is_missing_nobody_may_write_or_read() =>
        Assert.Equal(new(StandbySite.First, Reads: null, Writes: null), Decide(Quiet with { OrderRead = Seconds(5), MissesNode = true }));

    [Theory]
    [InlineData(4.999, 1)]
    [InlineData(1, 4.999)]
    public void As_long_as_the_order_is_fresh_a_missing_node_matters_to_nobody(double order, double nodes) =>
        Assert.Equal(AtFirst, Decide(Quiet with { OrderRead = Seconds(order), FirstNodesRead = Seconds(nodes), MissesNode = true }));

    [Theory]
    [InlineData(5, 1)]
    [InlineData(1, 5)]
    public void While_the_standby_is_away_the_first_store_must_have_been_seen_lately(double answered, double nodes) =>
        Assert.Null(Decide(Quiet with { OrderRead = Seconds(60), FirstAnswered = Seconds(answered), FirstNodesRead = Seconds(nodes) }).Writes);

    [Theory]
    [InlineData(14.999, false)]
    [InlineData(15, true)]
    public void A_node_that_never_read_the_order_gives_the_standby_the_whole_time_before_it_does_without(double running, bool uses) =>
        Assert.Equal(uses, Decide(Quiet with { OrderRead = null, Running = Seconds(running) }).Writes is not null);

    [Fact]
    public void A_node_that_was_told_of_a_move_by_the_first_store_and_cannot_read_the_standby_uses_neither() =>
        Assert.Equal(new(StandbySite.Standby, Reads: null, Writes: null), Decide(Moved(100) with { OrderRead = null }));

    [Fact]
    public void No_two_nodes_ever_write_to_different_stores()
    {
        // A node has read the old order up to a lease before its facts; the order was given at 0. At every moment, whoever still writes to the one and whoever writes to the other do not do so at once.
        foreach (var (old, next) in new[] { (Quiet, Moved(0)), (Moved(500), Returned(0)) })
        {
            for (var now = 0.0; now < 12; now += 0.25)
            {
                for (var readBefore = 0.0; readBefore < 6; readBefore += 0.25)
                {
                    var behind = Decide(old with { OrderRead = Seconds(now + readBefore), FirstAnswered = Seconds(1), MissesNode = true });
                    var ahead = Decide(next with { OrderAge = Seconds(now), OrderRead = Seconds(0) });
                    Assert.False(behind.Writes is { } one && ahead.Writes is { } other && one != other, $"After {now} s a node that read {readBefore} s before the order writes to the other store.");
                }
            }
        }
    }

    private static StandbyDecision Decide(StandbyFacts facts) => StandbyRules.Decide(facts, Times);

    private static StandbyFacts Moved(double seconds) => Quiet with { Order = new(1, StandbySite.Standby), OrderAge = Seconds(seconds) };

    private static StandbyFacts Returned(double seconds) => Quiet with { Order = new(2, StandbySite.First), OrderAge = Seconds(seconds) };

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);
}
