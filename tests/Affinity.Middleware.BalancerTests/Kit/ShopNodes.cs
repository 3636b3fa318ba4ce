using System.Security.Cryptography;
using Affinity.TestKit;
using ShopFarm;
using ShopFarm.Balancers;

namespace Affinity.BalancerTests.Kit;

/// <summary>A redis-server and shops in processes of their own, that drain and die fast.</summary>
internal sealed class ShopNodes : IAsyncDisposable
{
    private readonly RedisServer _redis;
    private readonly List<AppProcess> _apps = [];

    private ShopNodes(RedisServer redis) => _redis = redis;

    /// <summary>As a balancer knows them, in the order of <see cref="All"/>.</summary>
    public IReadOnlyList<BalancedNode> Known { get; private set; } = [];

    public IReadOnlyList<AppProcess> All => _apps;

    public AppProcess this[string name] => _apps[Known.Select(node => node.Name).ToList().IndexOf(name)];

    /// <param name="settings">Of every node.</param>
    /// <param name="tracks">One node per entry; null has no track.</param>
    public static async Task<ShopNodes> StartAsync(IReadOnlyDictionary<string, string> settings, params string?[] tracks)
    {
        var nodes = new ShopNodes(await RedisServer.StartAsync());
        try
        {
            var secret = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
            nodes._apps.AddRange(await Task.WhenAll(tracks.Select((track, i) => AppProcess.StartAsync(nodes.Describe($"n{i + 1}", track, secret, settings)))));
            nodes.Known = [.. nodes._apps.Zip(tracks, (app, track) => (app, track)).Select((n, i) => new BalancedNode($"n{i + 1}", n.app.BaseAddress.Host, n.app.BaseAddress.Port, n.track))];
            return nodes;
        }
        catch
        {
            await nodes.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_apps.Select(app => app.DisposeAsync().AsTask()));
        await _redis.DisposeAsync();
    }

    private AppStart Describe(string id, string? track, string secret, IReadOnlyDictionary<string, string> settings)
    {
        var configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings:redis"] = _redis.ConnectionString,
            ["Affinity:Node:Id"] = id,
            ["Affinity:Node:Track"] = track,
            ["Affinity:Node:ResponseHeader"] = ShopFarm.Visitor.NodeHeader,
            ["Affinity:Node:HeartbeatInterval"] = "00:00:00.400",
            ["Affinity:Node:DeadAfter"] = "00:00:05",
            ["Affinity:Drain:Notice"] = "00:00:01.500",
            ["Affinity:Drain:Evacuation"] = "00:00:01.500",
            // A machine on which everything waits for a processor is not a store that is away.
            ["Affinity:Sessions:StoreTimeout"] = "00:00:05",
            ["Affinity:Secrets:0"] = secret,
            ["Affinity:Ticket:InsecureAllowHttp"] = "true",
            ["Affinity:Stickiness:CookieName"] = ShopFarm.Visitor.RouteCookie,
            ["Logging:LogLevel:Microsoft"] = "Warning",
        };
        foreach (var (key, value) in settings)
        {
            configuration[key] = value;
        }

        return new AppStart { Dll = Tools.ShopSample, Configuration = configuration };
    }
}
