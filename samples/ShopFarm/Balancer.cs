using System.Diagnostics;

namespace ShopFarm;

/// <summary>HAProxy, nginx or Caddy in front of the shops.</summary>
internal sealed class Balancer(string name, Uri address, ChildProcess process) : IAsyncDisposable
{
    public string Name { get; } = name;

    public Uri Address { get; } = address;

    /// <summary>The one that was asked for, else the first that is on the PATH; null for none.</summary>
    public static async Task<Balancer?> StartAsync(FarmOptions options, IReadOnlyList<ShopNode> nodes, string folder, string logs, CancellationToken cancellationToken)
    {
        if (Choose(options.Balancer) is not var (name, program))
        {
            return null;
        }

        var port = Tools.FreePort();
        var file = Path.Combine(folder, name + ".conf");
        var (text, command) = name switch
        {
            "haproxy" => (BalancerConfiguration.HaProxy(port, nodes), (string[])[program, "-db", "-f", file]),
            "nginx" => (BalancerConfiguration.Nginx(port, nodes, folder), [program, "-e", Path.Combine(folder, "nginx-error.log"), "-p", folder, "-c", file]),
            "caddy" => (BalancerConfiguration.Caddy(port, nodes, await CaddyBufferingAsync(program)), [program, "run", "--adapter", "caddyfile", "--config", file]),
            _ => throw new UnreachableException(),
        };
        await File.WriteAllTextAsync(file, text, cancellationToken);

        // Caddy keeps what it knows in the user's folders otherwise.
        var own = new Dictionary<string, string>(StringComparer.Ordinal) { ["XDG_DATA_HOME"] = folder, ["XDG_CONFIG_HOME"] = folder };
        var process = await ChildProcess.StartAsync(name, logs, folder, command, own);
        var balancer = new Balancer(name, new Uri($"http://127.0.0.1:{port}"), process);
        try
        {
            await process.WaitUntilAsync(balancer.AnswersAsync, cancellationToken);
            return balancer;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();

    private static (string Name, string Program)? Choose(string? wanted)
    {
        foreach (var name in wanted is null ? (string[])["haproxy", "nginx", "caddy"] : [wanted])
        {
            if (Tools.OnPath(name) is { } program)
            {
                return (name, program);
            }
        }

        return wanted is null or "none" ? null : throw new FarmException($"{wanted} is not on the PATH. Install it, or leave --balancer out.");
    }

    private static async Task<string> CaddyBufferingAsync(string program)
    {
        using var caddy = Process.Start(new ProcessStartInfo(program, ["version"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var version = (await caddy.StandardOutput.ReadToEndAsync()).Split(' ')[0].Trim().TrimStart('v');
        return Version.TryParse(version, out var v) && v < new Version(2, 7) ? "buffer_requests" : "request_buffers 64KiB";
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(1) };
        try
        {
            using var answer = await client.GetAsync(new Uri(Address, "/affinity/health/live"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
