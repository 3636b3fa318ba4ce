namespace Affinity.Backends.Standby;

/// <summary>A second store at another site, to which all nodes move together when the first one is away: section <c>Affinity:StandbyStore</c>.</summary>
public sealed class StandbyStoreOptions
{
    /// <summary>
    /// How to reach it: a Redis of its own, in the form of StackExchange.Redis, that does not evict keys. Null (the default): <c>ConnectionStrings:affinity-standby</c>; without either there is no standby. Never logged.
    /// The same on every instance.
    /// </summary>
    public string? Configuration { get; set; }

    /// <summary>
    /// When a node has not reached the first store for this long, it has all nodes move. They use the standby a third of this later, and during that third nobody writes to either: changes ride in the visitors' tickets.
    /// Longer than <c>Affinity:Node:DeadAfter</c>, at most 10 minutes; 15 seconds by default. The same on every instance.
    /// </summary>
    public TimeSpan MoveAfter { get; set; } = TimeSpan.FromSeconds(15);
}
