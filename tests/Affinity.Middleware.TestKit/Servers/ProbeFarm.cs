using Affinity.TestKit.ProbeApp;

namespace Affinity.TestKit;

/// <summary>Several probe apps in processes of their own, one redis-server, and a network of stated delay between them.</summary>
public sealed class ProbeFarm : IAsyncDisposable
{
    private readonly FarmStart _start;
    private readonly RedisServer? _redis;
    private readonly TcpRelay? _network;
    private readonly List<AppProcess> _nodes = [];

    private ProbeFarm(FarmStart start, RedisServer? redis)
    {
        (_start, _redis) = (start, redis);
        _network = redis is null ? null : new TcpRelay(redis.Port) { DelayToServer = start.RoundTrip / 2, DelayToClient = start.RoundTrip / 2 };
    }

    /// <summary>The farm's own Redis.</summary>
    public RedisServer Redis => _redis ?? throw NotOwn();

    /// <summary>What lies between the nodes and the farm's own Redis.</summary>
    public TcpRelay Network => _network ?? throw NotOwn();

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
        var farm = new ProbeFarm(start, start.ConnectionString is null ? await RedisServer.StartAsync(start.Redis) : null);
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
            ["ConnectionStrings:redis"] = _start.ConnectionString ?? Network.ConnectionString,
            ["Affinity:Node:Id"] = id,
            ["Affinity:Node:ResponseHeader"] = "X-Affinity-Node",
            ["Affinity:Secrets:0"] = Secret,
            ["Logging:LogLevel:Microsoft"] = "Warning",
        };
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
        if (_redis is not null)
        {
            await _redis.DisposeAsync();
        }
    }

    private Task<AppProcess> StartNodeAsync(int number) =>
        AppProcess.StartAsync(Describe("node-" + number, [.. _start.Settings, .. _start.NodeSettings(number)]) with { ReadyStatus = _start.ReadyStatus });

    private static InvalidOperationException NotOwn() => new("This farm was given a connection string and has no Redis of its own.");
}
