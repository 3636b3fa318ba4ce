using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Affinity.TestKit;

namespace Affinity.ServerTests.Farm;

/// <summary>Three probe apps that answer the agent-check, and a HAProxy that asks them, with the backend that docs/operations.md shows.</summary>
internal sealed partial class AgentFarm : IAsyncDisposable
{
    private readonly ProbeFarm _farm;
    private readonly List<AppProcess> _nodes = [];
    private readonly List<int> _agents = [];
    private readonly TempDirectory _folder = new();
    private readonly int _port = LoopbackPort.Next();
    private readonly int _statsPort = LoopbackPort.Next();
    private ServerProcess? _haproxy;

    private AgentFarm(ProbeFarm farm) => _farm = farm;

    public Uri Front => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_port}/"));

    public IReadOnlyList<AppProcess> Nodes => _nodes;

    public static async Task<AgentFarm> StartAsync(params (string Key, string Value)[] settings)
    {
        var farm = new AgentFarm(await ProbeFarm.StartAsync(0));
        try
        {
            for (var i = 0; i < 3; i++)
            {
                farm._agents.Add(LoopbackPort.Next());
                farm._nodes.Add(await AppProcess.StartAsync(farm._farm.Describe(
                    NameOf(i), [("Affinity:AgentCheck:Port", farm._agents[i].ToString(CultureInfo.InvariantCulture)), .. settings])));
            }

            await farm.StartHaproxyAsync();
            return farm;
        }
        catch
        {
            await farm.DisposeAsync();
            throw;
        }
    }

    public static string NameOf(int node) => "node-" + node;

    /// <summary>Status and weight of a server as HAProxy's statistics show them.</summary>
    public async Task<(string Status, int Weight)> ShownAsync(int node)
    {
        var lines = (await new Visitor().GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_statsPort}/")), "stats;csv")).Split('\n');
        var columns = lines[0].TrimStart('#', ' ').Split(',');
        var cells = lines.Select(line => line.Split(',')).Single(line => line.Length > 1 && line[0] == "shop" && line[1] == NameOf(node));
        return (cells[Array.IndexOf(columns, "status")], int.Parse(cells[Array.IndexOf(columns, "weight")], CultureInfo.InvariantCulture));
    }

    /// <summary>Waits until HAProxy shows what is awaited, and answers how long that took.</summary>
    public async Task<TimeSpan> ShowsAsync(int node, Func<(string Status, int Weight), bool> awaited, TimeSpan within)
    {
        var began = DateTime.UtcNow;
        (string Status, int Weight) last;
        while (!awaited(last = await ShownAsync(node)))
        {
            if (DateTime.UtcNow - began > within)
            {
                throw new TimeoutException($"HAProxy still shows {NameOf(node)} as {last} after {within}.");
            }

            await Task.Delay(50);
        }

        return DateTime.UtcNow - began;
    }

    public async ValueTask DisposeAsync()
    {
        if (_haproxy is not null)
        {
            await _haproxy.DisposeAsync();
        }

        await Task.WhenAll(_nodes.Select(node => node.DisposeAsync().AsTask()));
        await _farm.DisposeAsync();
        _folder.Dispose();
    }

    private async Task StartHaproxyAsync()
    {
        var document = await File.ReadAllTextAsync(Path.Combine(Repository.Root ?? throw new InvalidOperationException("These tests read the working copy they were built from."), "docs", "operations.md"));
        var backend = Backend().Match(document).Groups["text"].Value;
        var servers = new StringBuilder();
        for (var i = 0; i < _nodes.Count; i++)
        {
            servers.AppendLine(CultureInfo.InvariantCulture, $"    server {NameOf(i)} {_nodes[i].BaseAddress.Authority} cookie {NameOf(i)} agent-port {_agents[i]}");
        }

        var path = Path.Combine(_folder.Path, "haproxy.cfg");
        await File.WriteAllTextAsync(path, string.Create(CultureInfo.InvariantCulture, $"""
            defaults
                mode http
                timeout connect 1s
                timeout client  30s
                timeout server  30s
            listen stats
                bind 127.0.0.1:{_statsPort}
                stats enable
                stats uri /stats
            frontend fe
                bind 127.0.0.1:{_port}
                default_backend shop
            {backend}
            {servers}
            """));
        _haproxy = await ServerProcess.StartAsync(new ServerStart
        {
            FileName = Requirements.PathOf(Needs.Haproxy),
            Arguments = ["-db", "-f", path],
            WorkingDirectory = _folder.Path,
            Ready = Readiness.Tcp(_port),
        });
    }

    /// <summary>Without its servers, which are the documentation's.</summary>
    [GeneratedRegex(@"^```haproxy\n(?<text>backend shop\n[^`]*?)    server ", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Backend();
}
