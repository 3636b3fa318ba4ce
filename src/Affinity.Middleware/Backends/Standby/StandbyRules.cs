namespace Affinity.Backends.Standby;

/// <summary>One of the two places where everything shared can lie.</summary>
internal enum StandbySite
{
    /// <summary>The store of <c>Affinity:Store</c>.</summary>
    First,

    /// <summary>The store of <c>Affinity:StandbyStore</c>.</summary>
    Standby,
}

/// <summary>Which store is to be used, as it was decided last.</summary>
/// <param name="Epoch">Raised by one with each decision; 0: there has been none.</param>
/// <param name="Site">Where to.</param>
internal readonly record struct StandbyOrder(long Epoch, StandbySite Site);

/// <summary>The two times that all nodes must agree on.</summary>
/// <param name="MoveAfter">How long the first store must have been away.</param>
internal readonly record struct StandbyTimes(TimeSpan MoveAfter)
{
    /// <summary>For how long a node may go by an order that it has read, and after which a new one takes effect: by then whoever has not read it has stopped.</summary>
    public TimeSpan Lease => MoveAfter / 3;

    /// <summary>How often the orders are read.</summary>
    public TimeSpan Poll => Lease / 5;
}

/// <summary>What a node knows when it decides. Times are how long ago; null: never.</summary>
internal readonly record struct StandbyFacts
{
    /// <summary>The order of the highest epoch that it has read anywhere.</summary>
    public StandbyOrder Order { get; init; }

    /// <summary>How long that has stood, at least, by the clock of the store where it was read.</summary>
    public TimeSpan OrderAge { get; init; }

    /// <summary>When it asked the standby, which answered, for the order.</summary>
    public TimeSpan? OrderRead { get; init; }

    /// <summary>When it asked the first store for something, and that answered.</summary>
    public TimeSpan? FirstAnswered { get; init; }

    /// <summary>When it read which nodes live at the first store.</summary>
    public TimeSpan? FirstNodesRead { get; init; }

    /// <summary>Whether a node that took visitors there, when the standby could last be read, is no longer among them.</summary>
    public bool MissesNode { get; init; }

    /// <summary>For how long it has been running.</summary>
    public TimeSpan Running { get; init; }
}

/// <summary>What follows for a node, now.</summary>
/// <param name="Home">Where heartbeats, keys and announcements go, whether or not it answers.</param>
/// <param name="Reads">Whom to ask for sessions; null: nobody.</param>
/// <param name="Writes">Whom to tell of changes; null: nobody, they are kept as in an outage.</param>
/// <param name="Moves">Whether to have all nodes move to the standby.</param>
internal readonly record struct StandbyDecision(StandbySite Home, StandbySite? Reads, StandbySite? Writes, bool Moves = false);

/// <summary>
/// When nodes move to the standby together, and how it is made sure that no two of them write to different stores. The order lies in the standby, where it is written by compare-and-set.
/// </summary>
/// <remarks>
/// <para>A node writes only while it has asked for the order less than one lease ago. A new order takes effect one lease after it was written, by the standby's clock. So whoever has not read it has stopped writing before anybody
/// begins elsewhere. Whoever has read it stops at once, but may still read where it was: as long as nobody writes anywhere, that is the latest.</para>
/// <para>When the standby itself cannot be read, the first store alone must do, or the spare would be one more thing that can break everything. A node goes on then only while every node that it knew to take visitors there still lives
/// there: a node that has moved, or is about to, beats there no longer, and <see cref="StandbyTimes.MoveAfter"/> is longer than it takes to be missed.</para>
/// <para>Nobody moves back by itself, as a store that comes back does not hold what was written meanwhile. And nobody moves for a store that it has never reached: that is a wrong address, and one node's wrong address must not move a farm.</para>
/// </remarks>
internal static class StandbyRules
{
    public static StandbyDecision Decide(StandbyFacts facts, StandbyTimes times)
    {
        var hasLease = facts.OrderRead < times.Lease;
        var (from, to) = facts.Order.Site == StandbySite.First ? (StandbySite.Standby, StandbySite.First) : (StandbySite.First, StandbySite.Standby);
        if (facts.Order.Epoch > 0 && facts.OrderAge < times.Lease)
        {
            return new(from, Reads: hasLease ? from : null, Writes: null);
        }

        if (hasLease)
        {
            return new(to, to, to, Moves: to == StandbySite.First && facts.FirstAnswered >= times.MoveAfter);
        }

        return to == StandbySite.First && SeesAllAtFirst(facts, times) ? new(to, to, to) : new(to, Reads: null, Writes: null);
    }

    private static bool SeesAllAtFirst(StandbyFacts facts, StandbyTimes times) =>
        facts.FirstAnswered < times.Lease
        && facts.FirstNodesRead < times.Lease
        && !facts.MissesNode
        && (facts.OrderRead is not null || facts.Running >= times.MoveAfter);
}
