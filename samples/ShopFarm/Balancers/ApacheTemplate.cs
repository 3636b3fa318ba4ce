namespace ShopFarm.Balancers;

/// <summary>Apache httpd's mod_proxy_balancer as it comes: the route is what follows the first dot of the cookie, the dialect Suffix.</summary>
internal class ApacheTemplate : BalancerTemplate
{
    private const string Modules = "/usr/lib/apache2/modules";

    private static readonly string[] Needed =
        ["mpm_event", "authz_core", "slotmem_shm", "proxy", "proxy_http", "proxy_balancer", "proxy_hcheck", "lbmethod_byrequests"];

    public override string Name => "apache";

    public override string Program => "apache2";

    public override IReadOnlyDictionary<string, string> NodeSettings { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal) { ["Affinity:Stickiness:Dialect"] = "Suffix" };

    protected virtual string Separator => "";

    public override string Render(BalancerPlan plan) => $$"""
        ProxyPreserveHost On
        ProxyHCExpr serves {%{REQUEST_STATUS} =~ /^2/}
        ProxyHCTemplate ready hcmethod=GET hcuri={{Ready}} hcinterval=1 hcpasses=1 hcfails=1 hcexpr=serves
        <Proxy balancer://shops>
        {{Lines(plan.Nodes, n => $"    BalancerMember http://{n.Endpoint} route={n.Name} retry=2 connectiontimeout=1 hctemplate=ready")}}
            ProxySet lbmethod=byrequests stickysession={{plan.Cookie}}{{Separator}}
        </Proxy>
        ProxyPass / balancer://shops/

        """;

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder)
    {
        // Enough threads and time that httpd closes no visitor's idle connection, into which they may just be posting: that is between the two of them.
        var main = $"""
            ServerRoot {folder}
            DefaultRuntimeDir {folder}
            PidFile {folder}/apache2.pid
            ErrorLog {folder}/error.log
            LogLevel warn
            ServerName localhost
            KeepAliveTimeout 60
            Listen {plan.Address}:{plan.Port}
            {Lines(Needed, m => $"LoadModule {m}_module {Modules}/mod_{m}.so")}
            ThreadsPerChild 64
            MaxRequestWorkers 64
            {Render(plan)}
            """;
        return ["-d", folder, "-f", Write(folder, "apache2.conf", main), "-X"];
    }
}

/// <summary>Apache httpd that takes the whole cookie for the route: the dialect Plain.</summary>
internal sealed class ApachePlainTemplate : ApacheTemplate
{
    public override string Name => "apache-plain";

    public override IReadOnlyDictionary<string, string> NodeSettings { get; } = new Dictionary<string, string>(StringComparer.Ordinal);

    protected override string Separator => " stickysessionsep=Off";
}
