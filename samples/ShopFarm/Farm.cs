using System.Security.Cryptography;
using ShopFarm.Stores;

namespace ShopFarm;

/// <summary>A store, three shops, and a balancer in front of them if there is one. What it started is gone when it is disposed.</summary>
internal sealed class Farm : IAsyncDisposable
{
    private static readonly string[] NodeNames = ["node-a", "node-b", "node-c"];

    private readonly RunFolder _folder = new();
    private readonly string _logs;
    private Store? _store;
    private Balancer? _balancer;

    private Farm(FarmOptions options) =>
        _logs = options.Logs is null ? _folder.Path : Directory.CreateDirectory(options.Logs).FullName;

    public IReadOnlyList<ShopNode> Nodes { get; private set; } = [];

    public Store Store => _store!;

    /// <summary>Where visitors come in: the balancer, or without one every node.</summary>
    public IReadOnlyList<Uri> Doors => _balancer is null ? [.. Nodes.Select(n => n.Address)] : [_balancer.Address];

    public string BalancerName => _balancer?.Name ?? "no balancer";

    /// <summary>How long after a node's death the balancer may still lead posts to it.</summary>
    public TimeSpan PostsFailFor { get; private set; }

    public static async Task<Farm> StartAsync(FarmOptions options, CancellationToken cancellationToken)
    {
        var farm = new Farm(options);
        try
        {
            await farm.BuildAsync(options, cancellationToken);
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Console.WriteLine("stopping …");
        if (_balancer is not null)
        {
            await _balancer.DisposeAsync();
        }

        await Task.WhenAll(Nodes.Select(n => n.DisposeAsync().AsTask()));
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _folder.Dispose();
    }

    private async Task BuildAsync(FarmOptions options, CancellationToken cancellationToken)
    {
        var template = Balancer.Choose(options.Balancer);
        _store = await Store.StartAsync(options, _folder.Path, _logs, cancellationToken);
        Console.WriteLine($"store     {_store.Name}");

        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Affinity__Secrets__0"] = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)),
            ["Affinity__Ticket__InsecureAllowHttp"] = "true",
            ["Affinity__Node__ResponseHeader"] = Visitor.NodeHeader,
            ["Logging__LogLevel__Microsoft.AspNetCore"] = "Warning",
        };
        foreach (var (key, value) in _store.Settings)
        {
            environment[key] = value;
        }

        foreach (var (key, value) in template?.NodeSettings ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        Nodes = [.. NodeNames.Select(name => new ShopNode(name, Tools.FreePort(), _logs, environment))];
        await Task.WhenAll(Nodes.Select(n => n.StartAsync(cancellationToken)));
        foreach (var node in Nodes)
        {
            Console.WriteLine($"{node.Name,-9} {node.Address}");
        }

        if (template is not null)
        {
            PostsFailFor = template.PostsFailFor;
            _balancer = await Balancer.StartAsync(template, Nodes, _folder.Path, _logs, cancellationToken);
        }

        Console.WriteLine(_balancer is null
            ? "no balancer: the three addresses above share the browser's cookies, so hop between them by hand"
            : $"{_balancer.Name,-9} {_balancer.Address}   <- open this");
    }
}
