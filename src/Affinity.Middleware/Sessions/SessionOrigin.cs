namespace Affinity.Sessions;

/// <summary>Where a request's session came from.</summary>
public enum SessionOrigin
{
    /// <summary>The visitor has none, or it was not asked for.</summary>
    None,

    /// <summary>It began with this request.</summary>
    New,

    /// <summary>It was read from the shared store.</summary>
    Store,

    /// <summary>This node remembered it, and the store was not asked.</summary>
    NearCache,

    /// <summary>
    /// The store is away, and the visitor's ticket holds changes that it has not been told: they are on top of what this node remembers. Where it remembers nothing, only they can be read.
    /// </summary>
    Journal,

    /// <summary>It rides in the visitor's ticket (<c>Affinity:Sessions:Carrier</c>).</summary>
    Cookie,

    /// <summary>It was taken over from the framework's session by this request (<c>Affinity:Sessions:ReadFrameworkSessions</c>).</summary>
    Framework,
}

/// <summary>What the store has lost of the visitor's session.</summary>
public enum SessionLoss
{
    /// <summary>Nothing, as far as it can be known.</summary>
    None,

    /// <summary>The whole session: it is missing, although it should be there.</summary>
    Lost,

    /// <summary>The latest changes: it is older than what the visitor has seen.</summary>
    Behind,

    /// <summary>Changes that the visitor has seen, in the place of which others have been made: a fail-over lost some, and the session was written since.</summary>
    Diverged,
}

/// <summary>What a request learned of the session store.</summary>
public enum StoreReach
{
    /// <summary>The request had no need to ask.</summary>
    NotAsked,

    /// <summary>It answered.</summary>
    Reachable,

    /// <summary>It did not answer in time or refused. The visitor's session is out of reach, which is not the same as having none.</summary>
    Unreachable,
}
