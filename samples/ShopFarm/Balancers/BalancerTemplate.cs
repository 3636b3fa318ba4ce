namespace ShopFarm.Balancers;

/// <summary>
/// One way to configure a balancer for Affinity: spread new visitors over the ready nodes, send bound ones to the node that their cookie names, and take a refused
/// connection to another node at once. The farm, the tests on real balancers and docs/balancers.md all show the same text.
/// </summary>
internal abstract class BalancerTemplate
{
    protected const string Live = "/affinity/health/live";
    protected const string Ready = "/affinity/health/ready";

    public static IReadOnlyList<BalancerTemplate> All { get; } =
    [
        new HaProxyTemplate(), new HaProxyUseServerTemplate(), new NginxTemplate(), new CaddyTemplate(), new ApacheTemplate(), new ApachePlainTemplate(), new VarnishTemplate(),
        new HaProxyTracksTemplate(), new NginxTracksTemplate(),
    ];

    public abstract string Name { get; }

    /// <summary>What is started; on the PATH or where Debian keeps servers.</summary>
    public abstract string Program { get; }

    /// <summary>Settings of the nodes that this balancer needs, by their keys in the configuration.</summary>
    public virtual IReadOnlyDictionary<string, string> NodeSettings => new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long after a node's death posts of its visitors may fail, where the balancer cannot tell a refused connection, which is safe to repeat, from a lost request.</summary>
    public virtual TimeSpan PostsFailFor => TimeSpan.Zero;

    public static BalancerTemplate Of(string name) => All.Single(t => string.Equals(t.Name, name, StringComparison.Ordinal));

    /// <summary>The configuration, as somebody who runs this balancer would write it.</summary>
    public abstract string Render(BalancerPlan plan);

    /// <summary>Writes what a process of its own needs, and answers the arguments that it is started with.</summary>
    /// <param name="plan">What it is told.</param>
    /// <param name="folder">An empty folder that is its own as long as it runs.</param>
    public abstract IReadOnlyList<string> Prepare(BalancerPlan plan, string folder);

    protected static string Lines<T>(IEnumerable<T> items, Func<T, string> line) => string.Join('\n', items.Select(line));

    protected static string Write(string folder, string name, string text)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
