namespace ShopFarm.Balancers;

/// <summary>HAProxy's own cookie persistence, with the cookie written by the app.</summary>
internal class HaProxyTemplate : BalancerTemplate
{
    public override string Name => "haproxy";

    public override string Program => "haproxy";

    public override IReadOnlyDictionary<string, string> NodeSettings { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal) { ["Affinity:Drain:Readiness"] = "NotFound" };

    public override string Render(BalancerPlan plan) => $"""
        {Defaults}

        frontend door
            bind {plan.Address}:{plan.Port}
            default_backend shops

        backend shops
            balance roundrobin
            # preserve: the app's own Set-Cookie stands. No "indirect": the app must see the cookie.
            cookie {plan.Cookie} insert preserve nocache httponly
        {Checks}
        {Lines(plan.Nodes, n => $"    server {n.Name} {n.Endpoint} cookie {n.Name}")}

        """;

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder) => ["-db", "-f", Write(folder, "haproxy.cfg", Render(plan))];

    protected static string Defaults => """
        defaults
            mode http
            timeout connect 1s
            timeout client 30s
            timeout server 30s
            # Longer than the interval of the checks: a busy node is not a dead one, and a dead one refuses at once.
            timeout check 2s
            # Leave a dead node at the first retry; HAProxy's own default waits for the last one.
            option redispatch 1
            retries 3
        """;

    protected static string Checks => $"""
            option httpchk GET {Ready}
            # Affinity:Drain:Readiness NotFound: while a node drains, bound visitors still come and new ones do not.
            http-check disable-on-404
            default-server check inter 500 fall 2 rise 1
        """;
}
