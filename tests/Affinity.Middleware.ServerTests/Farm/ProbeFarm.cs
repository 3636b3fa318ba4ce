using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;

namespace Affinity.ServerTests.Farm;

/// <summary>Several probe apps in processes of their own, one redis-server, and a network of stated delay between them.</summary>
internal sealed class ProbeFarm : IAsyncDisposable
{
    private readonly string _secret = Convert.ToBase64String(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));
    private readonly List<AppProcess> _nodes = [];

    private ProbeFarm(RedisServer redis, TimeSpan roundTrip)
    {
        Redis = redis;
        Network = new TcpRelay(redis.Port) { DelayToServer = roundTrip / 2, DelayToClient = roundTrip / 2 };
    }

    public RedisServer Redis { get; }

    public TcpRelay Network { get; }

    public IReadOnlyList<AppProcess> Nodes => _nodes;

    public Uri this[int node] => _nodes[node % _nodes.Count].BaseAddress;

    /// <param name="nodes">How many apps.</param>
    /// <param name="roundTrip">Added to every trip to Redis and back.</param>
    /// <param name="settings">More configuration for every node.</param>
    public static async Task<ProbeFarm> StartAsync(int nodes, TimeSpan roundTrip = default, params (string Key, string Value)[] settings)
    {
        var farm = new ProbeFarm(await RedisServer.StartAsync(), roundTrip);
        try
        {
            farm._nodes.AddRange(await Task.WhenAll(Enumerable.Range(0, nodes).Select(i => AppProcess.StartAsync(farm.Describe("node-" + i, settings)))));
            await farm.WarmUpAsync();
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public AppStart Describe(string id, params (string Key, string Value)[] settings)
    {
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings:redis"] = Network.ConnectionString,
            ["Affinity:Node:Id"] = id,
            ["Affinity:Node:ResponseHeader"] = "X-Affinity-Node",
            ["Affinity:Secrets:0"] = _secret,
            ["Logging:LogLevel:Microsoft"] = "Warning",
        };
        foreach (var (key, value) in settings)
        {
            configuration[key] = value;
        }

        return new AppStart { Dll = typeof(SessionProbe).Assembly.Location, Configuration = configuration };
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

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        Network.Dispose();
        await Redis.DisposeAsync();
    }
}
