using System.Net;
using Affinity.Backends;

namespace Affinity.TestKit;

/// <summary>How to start a <see cref="ProbeFarm"/>.</summary>
public sealed record FarmStart
{
    /// <summary>How many apps.</summary>
    public int Nodes { get; init; } = 2;

    /// <summary>What the nodes share: Redis, Postgres, RedisOverPostgres, or Distributed, which is a cache over Redis in the layout of the framework's package.</summary>
    public StoreKind Store { get; init; } = StoreKind.Redis;

    /// <summary>Added to every trip to the store and back.</summary>
    public TimeSpan RoundTrip { get; init; }

    /// <summary>How the farm's own Redis is started.</summary>
    public RedisServerOptions Redis { get; init; } = new();

    /// <summary>Where the sessions are instead; the farm's own Redis is then not started.</summary>
    public string? ConnectionString { get; init; }

    /// <summary>How the farm's own PostgreSQL is started.</summary>
    public PostgresServerOptions Postgres { get; init; } = new();

    /// <summary>Which PostgreSQL it is instead.</summary>
    public string? Database { get; init; }

    /// <summary>More configuration for every node.</summary>
    public IReadOnlyList<(string Key, string Value)> Settings { get; init; } = [];

    /// <summary>More configuration for one node, by its number.</summary>
    public Func<int, IEnumerable<(string Key, string Value)>> NodeSettings { get; init; } = _ => [];

    /// <summary>Environment variables of every node.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>Whether Redis is killed before the first node starts.</summary>
    public bool WithoutRedis { get; init; }

    internal bool HasOwnRedis => ConnectionString is null && Store is not StoreKind.Postgres;

    internal bool HasDatabase => Store is StoreKind.Postgres or StoreKind.RedisOverPostgres;

    internal HttpStatusCode ReadyStatus => WithoutRedis ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK;
}
