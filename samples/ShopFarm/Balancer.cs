using ShopFarm.Balancers;

namespace ShopFarm;

/// <summary>A balancer in front of the shops.</summary>
internal sealed class Balancer(string name, Uri address, ChildProcess process) : IAsyncDisposable
{
    // Those that a person at the terminal wants to choose between: one per program.
    private static readonly string[] Names = ["haproxy", "nginx", "caddy", "apache", "varnish"];

    public string Name { get; } = name;

    public Uri Address { get; } = address;

    /// <summary>The one that was asked for, else the first that is on the PATH; null for none.</summary>
    public static BalancerTemplate? Choose(string? wanted)
    {
        foreach (var template in Names.Where(n => wanted is null || string.Equals(n, wanted, StringComparison.Ordinal)).Select(BalancerTemplate.Of))
        {
            if (Tools.OnPath(template.Program) is not null)
            {
                return template;
            }
        }

        return wanted is null or "none" ? null : throw new FarmException($"{wanted} is not on the PATH. Install it, or leave --balancer out.");
    }

    public static async Task<Balancer> StartAsync(BalancerTemplate template, IReadOnlyList<ShopNode> nodes, string folder, string logs, CancellationToken cancellationToken)
    {
        var plan = new BalancerPlan("127.0.0.1", Tools.FreePort(), [.. nodes.Select(n => new BalancedNode(n.Name, "127.0.0.1", n.Port))]) { Cookie = Visitor.RouteCookie };
        string[] command = [Tools.OnPath(template.Program)!, .. template.Prepare(plan, folder)];

        // Caddy keeps what it knows in the user's folders otherwise.
        var own = new Dictionary<string, string>(StringComparer.Ordinal) { ["XDG_DATA_HOME"] = folder, ["XDG_CONFIG_HOME"] = folder };
        var process = await ChildProcess.StartAsync(template.Name, logs, folder, command, own);
        var balancer = new Balancer(template.Name, new Uri($"http://127.0.0.1:{plan.Port}"), process);
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
