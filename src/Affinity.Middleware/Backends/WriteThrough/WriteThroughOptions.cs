namespace Affinity.Backends.WriteThrough;

/// <summary>How much a cache in front of a database may answer by itself, as the root reads it off the settings of sessions.</summary>
internal sealed record WriteThroughOptions
{
    /// <summary>
    /// How long ago the database must have said what the cache answers by itself. What is older is confirmed by the database, which then need not send it again.
    /// </summary>
    public required TimeSpan MaxAge { get; init; }

    /// <summary>How long a session store call may take.</summary>
    public required TimeSpan StoreTimeout { get; init; }

    /// <summary>Whether sessions are read from the cache, whatever their age, while the database is away.</summary>
    public bool ServesInOutage { get; init; } = true;

    /// <summary>The longest that a request waits for the cache; it answers in less than one thousandth of a second, and a node that is short of processors must not take it for dead.</summary>
    public TimeSpan CacheTimeout { get; init; } = TimeSpan.FromMilliseconds(200);
}
