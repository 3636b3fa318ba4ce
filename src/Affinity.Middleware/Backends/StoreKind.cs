namespace Affinity.Backends;

/// <summary>Which store the instances share.</summary>
public enum StoreKind
{
    /// <summary>What the connection strings say: <c>affinity-db</c> is PostgreSQL, <c>redis</c> is Redis, neither is <see cref="Memory"/>. With both it must be said.</summary>
    Automatic,

    /// <summary>None: everything stays in this process. For one instance, in development and tests.</summary>
    Memory,

    /// <summary>Redis, or a server that speaks its protocol.</summary>
    Redis,

    /// <summary>PostgreSQL, by the package <c>Affinity.Postgres</c>.</summary>
    Postgres,

    /// <summary>PostgreSQL, with Redis in front of it as a cache that may be lost at any time.</summary>
    RedisOverPostgres,

    /// <summary>Whatever <c>IDistributedCache</c> the app registers, with weaker promises: such a cache cannot compare and set.</summary>
    Distributed,
}
