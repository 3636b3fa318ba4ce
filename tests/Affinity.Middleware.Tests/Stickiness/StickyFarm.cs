using Affinity.Backends.Memory;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Stickiness;

/// <summary>Apps with the whole pipeline on a real Kestrel each, with one store, one node directory and one clock: several hosts in one process as the internet.</summary>
internal sealed class StickyFarm : IAsyncDisposable
{
    private readonly MemoryNodeDirectory _directory;
    private readonly MemorySessionStore _store;
    private readonly Directory _seen;
    private readonly Dictionary<string, WebApplication> _apps = new(StringComparer.Ordinal);
    private readonly Action<AffinityOptions>? _configure;
    private readonly Action<AffinityBuilder>? _build;

    private StickyFarm(Action<AffinityOptions>? configure, Action<AffinityBuilder>? build)
    {
        (_configure, _build) = (configure, build);
        _directory = new MemoryNodeDirectory(Time);
        _store = new MemorySessionStore(Time);
        _seen = new Directory(_directory);
    }

    public ManualTime Time { get; } = new();

    public Uri this[string node] => new(_apps[node].Urls.Single());

    /// <summary>Nodes by name; <c>a:blue</c> is node a on the track blue.</summary>
    public static async Task<StickyFarm> StartAsync(IEnumerable<string> nodes, Action<AffinityOptions>? configure = null, Action<AffinityBuilder>? build = null)
    {
        var farm = new StickyFarm(configure, build);
        foreach (var node in nodes)
        {
            await farm.StartNodeAsync(node);
        }

        await farm.BeatAsync();
        return farm;
    }

    public async Task StartNodeAsync(string node)
    {
        var (name, track) = node.Split(':') is [var n, var t] ? (n, t) : (node, null);
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var affinity = builder.AddAffinity(options =>
        {
            options.Application = "sticky";
            options.Secrets.Add(Convert.ToBase64String([.. Enumerable.Range(1, 32).Select(i => (byte)i)]));
            options.Node.Id = name;
            options.Node.Track = track;
            options.Node.Address = $"10.0.0.{name[0] - 'a' + 1}:8080";
            options.Node.ResponseHeader = "X-Node";
            _configure?.Invoke(options);
        });
        _build?.Invoke(affinity);
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton<INodeDirectory>(_seen);
        builder.Services.AddSingleton<ISessionStore>(_store);
        var app = builder.Build();
        app.MapGet("/", () => "hello");
        app.MapGet("/get", (HttpContext context) => context.Session.GetString("x") ?? "nothing");
        app.MapPost("/set", (HttpContext context) => context.Session.SetString("x", "1"));
        app.MapPost("/end", (HttpContext context) => context.Session.AbandonAsync());
        app.MapPost("/issue", (HttpContext context) => context.Response.Cookies.Append("login", "1"));
        app.MapPost("/remove", (HttpContext context) => context.Response.Cookies.Delete("login"));
        app.MapGet("/affinity", (HttpContext context) => $"{context.GetAffinity().BoundTo} {context.GetAffinity().BindingReason} {context.GetAffinity().Track}");
        _seen.IsEmpty = true;
        await app.StartAsync();
        _seen.IsEmpty = false;
        _apps[name] = app;
    }

    /// <summary>Every node tells the directory of itself and learns of the others, as with a heartbeat.</summary>
    public async Task BeatAsync()
    {
        for (var round = 0; round < 2; round++)
        {
            foreach (var app in _apps.Values)
            {
                await app.Services.GetRequiredService<Heartbeat>().BeatAsync(CancellationToken.None);
            }
        }
    }

    public NodeMembership Node(string name) => _apps[name].Services.GetRequiredService<NodeMembership>();

    /// <summary>Stops answering, and the directory forgets it when it counts as dead.</summary>
    public async Task KillAsync(string name)
    {
        await _apps[name].DisposeAsync();
        _apps.Remove(name);
        foreach (var record in Node(_apps.Keys.First()).Live.Where(node => node.Id.Value == name))
        {
            await _directory.LeaveAsync(record.Id, record.Incarnation, CancellationToken.None);
        }

        await BeatAsync();
    }

    public async Task DrainAsync(string name, bool evacuates = false)
    {
        await _directory.AskAsync(NodeId.Parse(name), NodeWish.Drain, CancellationToken.None);
        await BeatAsync();
        if (evacuates)
        {
            // One step, or the others would count as dead meanwhile.
            Time.Advance(new DrainOptions().Notice);
            await BeatAsync();
        }
    }

    public async Task TakeBackAsync(string name)
    {
        await _directory.AskAsync(NodeId.Parse(name), NodeWish.Serve, CancellationToken.None);
        await BeatAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps.Values)
        {
            await app.DisposeAsync();
        }
    }

    /// <summary>Shows a node that starts nobody else: it would wait for its peers' Data Protection keys, by a clock that stands still.</summary>
    private sealed class Directory(MemoryNodeDirectory all) : INodeDirectory
    {
        public bool IsEmpty { get; set; }

        public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken) =>
            await all.BeatAsync(self, deadAfter, cancellationToken) is var beat && IsEmpty ? beat with { Live = [self] } : beat;

        public ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) => all.LeaveAsync(id, incarnation, cancellationToken);

        public ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken) => all.AskAsync(id, wish, cancellationToken);
    }
}
