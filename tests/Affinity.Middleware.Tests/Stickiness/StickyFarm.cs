using Affinity.Backends.Memory;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Tests.Stickiness;

/// <summary>
/// Several apps in one process as "the internet": each with the whole pipeline on a Kestrel of its own, sharing what a backend shares and one clock that stands still. The test is the balancer.
/// </summary>
internal sealed class StickyFarm : IAsyncDisposable
{
    private readonly SortedDictionary<string, StickyNode> _nodes = new(StringComparer.Ordinal);
    private readonly Action<AffinityOptions> _configure;
    private readonly Action<WebApplicationBuilder> _build;
    private readonly MemorySessionStore _sessions;
    private readonly MemoryNodeDirectory _directory;
    private readonly MemoryKeyVault _keys = new();

    private StickyFarm(Action<AffinityOptions>? configure, Action<WebApplicationBuilder>? build)
    {
        (_configure, _build) = (configure ?? (_ => { }), build ?? (_ => { }));
        (_sessions, _directory) = (new MemorySessionStore(Time), new MemoryNodeDirectory(Time));
    }

    public ManualTime Time { get; } = new();

    /// <summary>Everything that any app logs, from Trace up.</summary>
    public LogLines Log { get; } = new();

    public StickyNode this[string name] => _nodes[name];

    /// <param name="nodes">Their names, <c>a b</c>, with tracks <c>a/blue b/green</c>.</param>
    /// <param name="configure">For each node; its name is there already.</param>
    /// <param name="build">For each node.</param>
    public static async Task<StickyFarm> StartAsync(string nodes, Action<AffinityOptions>? configure = null, Action<WebApplicationBuilder>? build = null)
    {
        var farm = new StickyFarm(configure, build);
        foreach (var node in nodes.Split(' '))
        {
            await farm.AddAsync(node);
        }

        await farm.BeatAsync();
        return farm;
    }

    /// <summary>A browser whose cookies end by the farm's clock.</summary>
    public Visitor NewVisitor() => new(new CookieJar(Time));

    /// <summary>Starts a node; the others know it after <see cref="BeatAsync"/>.</summary>
    public async Task AddAsync(string node, Action<AffinityOptions>? configure = null)
    {
        var (name, track) = node.Split('/') is [var first, var second] ? (first, second) : (node, null);
        var line = new DirectoryLine(_directory);
        var runs = new RunCount();
        var app = await PipelineApp.StartAsync(
            routes => StickyRoutes.Map(routes, runs),
            options =>
            {
                (options.Application, options.Node.Id, options.Node.Track) = (Sample.Application, name, track);
                options.Secrets.Add(Sample.Secret);
                _configure(options);
                configure?.Invoke(options);
            },
            builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Trace).AddProvider(Log);
                builder.Services.AddSingleton<TimeProvider>(Time);
                builder.Services.AddSingleton<ISessionStore>(_sessions);
                builder.Services.AddSingleton<INodeDirectory>(line);
                builder.Services.AddSingleton<IKeyVault>(_keys);
                _build(builder);
            });
        line.IsStarting = false;
        _nodes[name] = new StickyNode(app, line, runs);
    }

    /// <summary>Every node has told the directory, and has heard of all others.</summary>
    public async Task BeatAsync()
    {
        foreach (var node in _nodes.Values.Concat(_nodes.Values).Where(node => !node.IsCut))
        {
            await node.Heart.BeatAsync(CancellationToken.None);
        }
    }

    /// <summary>Time passes, and the hearts beat.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        Time.Advance(time);
        await BeatAsync();
    }

    /// <summary>An operator's wish, and every node has heard of it.</summary>
    public async Task AskAsync(string name, NodeWish wish)
    {
        await _directory.AskAsync(NodeId.Parse(name), wish, CancellationToken.None);
        await BeatAsync();
    }

    /// <summary>The node is gone without a word, and the others have noticed.</summary>
    public async Task KillAsync(string name)
    {
        await _nodes[name].EndAsync();
        _nodes.Remove(name);
        await PassAsync(new NodeOptions().DeadAfter);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes.Values)
        {
            await node.EndAsync();
        }
    }
}

/// <summary>One app of the farm.</summary>
internal sealed class StickyNode(PipelineApp app, DirectoryLine line, RunCount runs)
{
    public Uri Address => app.Address;

    public NodeMembership Membership => Get<NodeMembership>();

    public Heartbeat Heart => Get<Heartbeat>();

    /// <summary>How many requests have reached the app behind the pipeline.</summary>
    public int Runs => runs.Count;

    public bool IsCut => line.IsCut;

    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>What a SIGTERM brings about; with time standing still it goes on until the test moves it.</summary>
    public Task StopAsync() => app.StopAsync();

    /// <summary>Ends the app, and nobody hears of it.</summary>
    public async Task EndAsync()
    {
        line.IsCut = true;
        await Heart.BeatAsync(CancellationToken.None); // one that was under way would tell it of its peers again
        Membership.BeginDrain(stops: true);

        // Without peers it does not wait for them, on a clock that nobody moves.
        Membership.Joined([]);
        await app.DisposeAsync();
    }
}

/// <summary>How often an app has run.</summary>
internal sealed class RunCount
{
    private int _count;

    public int Count => Volatile.Read(ref _count);

    public void Add() => Interlocked.Increment(ref _count);
}

/// <summary>A node's connection to the directory, which can be cut.</summary>
internal sealed class DirectoryLine(INodeDirectory directory) : INodeDirectory
{
    public bool IsCut { get; set; }

    /// <summary>Shows nobody else: a node that starts would wait for its peers' Data Protection keys, by a clock that stands still.</summary>
    public bool IsStarting { get; set; } = true;

    public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken) =>
        await Reached().BeatAsync(self, deadAfter, cancellationToken) is var beat && IsStarting ? beat with { Live = [self] } : beat;

    public ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) => Reached().LeaveAsync(id, incarnation, cancellationToken);

    public ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken) => Reached().AskAsync(id, wish, cancellationToken);

    private INodeDirectory Reached() => IsCut ? throw new NodeDirectoryException("The line is cut.") : directory;
}
