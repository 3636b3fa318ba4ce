using Affinity.Backends;
using Affinity.TestKit.ProbeApp;
using Npgsql;

namespace Affinity.TestKit;

/// <summary>Several probe apps in processes of their own, the store that they share, and a network of stated delay between them.</summary>
public sealed class ProbeFarm : IAsyncDisposable
{
    private readonly FarmStart _start;
    private readonly RedisServer? _redis;
    private readonly TcpRelay? _network;
    private readonly PostgresServer? _postgres;
    private readonly TcpRelay? _databaseNetwork;
    private readonly TempDirectory? _keys;
    private readonly List<AppProcess> _nodes = [];

    private ProbeFarm(FarmStart start, RedisServer? redis, PostgresServer? postgres)
    {
        (_start, _redis, _postgres) = (start, redis, postgres);
        _network = redis is null ? null : Between(redis.Port);
        _databaseNetwork = postgres is null ? null : Between(postgres.Port);
        _keys = start.Store == StoreKind.Distributed ? new TempDirectory() : null;

        TcpRelay Between(int port) => new(port) { DelayToServer = start.RoundTrip / 2, DelayToClient = start.RoundTrip / 2 };
    }

    /// <summary>The farm's own Redis.</summary>
    public RedisServer Redis => _redis ?? throw NotOwn();

    /// <summary>What lies between the nodes and the farm's own Redis.</summary>
    public TcpRelay Network => _network ?? throw NotOwn();

    /// <summary>The farm's own PostgreSQL.</summary>
    public PostgresServer Postgres => _postgres ?? throw NotOwn();

    /// <summary>What lies between the nodes and the farm's own PostgreSQL.</summary>
    public TcpRelay DatabaseNetwork => _databaseNetwork ?? throw NotOwn();

    /// <summary>The apps.</summary>
    public IReadOnlyList<AppProcess> Nodes => _nodes;

    /// <summary><c>Affinity:Secrets:0</c> of every node.</summary>
    public string Secret { get; } = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    /// <summary>The address of one node; past the last the count begins anew.</summary>
    public Uri this[int node] => _nodes[node % _nodes.Count].BaseAddress;

    /// <param name="nodes">How many apps.</param>
    /// <param name="roundTrip">Added to every trip to Redis and back.</param>
    /// <param name="settings">More configuration for every node.</param>
    public static Task<ProbeFarm> StartAsync(int nodes, TimeSpan roundTrip = default, params (string Key, string Value)[] settings) =>
        StartAsync(new FarmStart { Nodes = nodes, RoundTrip = roundTrip, Settings = settings });

    /// <summary>Starts everything and waits until it is ready.</summary>
    public static async Task<ProbeFarm> StartAsync(FarmStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        var redis = start.HasOwnRedis ? await RedisServer.StartAsync(start.Redis) : null;
        ProbeFarm farm;
        try
        {
            farm = new ProbeFarm(start, redis, start is { HasDatabase: true, Database: null } ? await PostgresServer.StartAsync(start.Postgres) : null);
        }
        catch
        {
            await (redis?.DisposeAsync() ?? ValueTask.CompletedTask);
            throw;
        }

        try
        {
            if (start.WithoutRedis)
            {
                farm.Redis.Kill();
            }

            farm._nodes.AddRange(await Task.WhenAll(Enumerable.Range(0, start.Nodes).Select(farm.StartNodeAsync)));
            if (!start.WithoutRedis)
            {
                await farm.WarmUpAsync();
            }

            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    /// <summary>How one more node would be started.</summary>
    public AppStart Describe(string id, params (string Key, string Value)[] settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Store"] = _start.Store.ToString(),
            ["Affinity:Node:Id"] = id,
            ["Affinity:Node:ResponseHeader"] = "X-Affinity-Node",
            ["Affinity:Secrets:0"] = Secret,
            ["Logging:LogLevel:Microsoft"] = "Warning",
        };
        if (_start.Store != StoreKind.Postgres)
        {
            configuration["ConnectionStrings:redis"] = _start.ConnectionString ?? Network.ConnectionString;
        }

        if (_keys is not null)
        {
            configuration["Probe:Cache"] = "redis";
            configuration["Affinity:KeyDirectory"] = _keys.Path;
        }

        if (_start.HasDatabase)
        {
            configuration["ConnectionStrings:affinity-db"] = _start.Database ?? new NpgsqlConnectionStringBuilder(Postgres.ConnectionString) { Port = DatabaseNetwork.Port }.ConnectionString;
        }

        foreach (var (key, value) in settings)
        {
            configuration[key] = value;
        }

        return new AppStart { Dll = typeof(SessionProbe).Assembly.Location, Configuration = configuration, Environment = _start.Environment };
    }

    /// <summary>The first request of a process compiles what it runs, and the first use of a script loads it; a test of races, delays and trips begins after that.</summary>
    public async Task WarmUpAsync()
    {
        foreach (var node in _nodes)
        {
            var visitor = new Visitor();
            await visitor.PostAsync(node.BaseAddress, "set/warm/1");
            await visitor.PostAsync(node.BaseAddress, "add/n");
            var copy = visitor.Clone();
            await visitor.PostAsync(node.BaseAddress, "abandon");
            await copy.GetAsync(node.BaseAddress, "loaded/warm"); // which the node does not remember
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        _network?.Dispose();
        _databaseNetwork?.Dispose();
        _keys?.Dispose();
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }

        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    private Task<AppProcess> StartNodeAsync(int number) =>
        AppProcess.StartAsync(Describe("node-" + number, [.. _start.Settings, .. _start.NodeSettings(number)]) with { ReadyStatus = _start.ReadyStatus });

    private static InvalidOperationException NotOwn() => new("This farm was given a connection string, or has another store: it has none like this of its own.");
}
