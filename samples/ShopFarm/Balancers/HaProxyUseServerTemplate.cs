namespace ShopFarm.Balancers;

/// <summary>HAProxy that only obeys: it writes no cookie, and an expression finds the node's name in any dialect that carries it.</summary>
internal sealed class HaProxyUseServerTemplate : HaProxyTemplate
{
    public override string Name => "haproxy-use-server";

    /// <summary>The dialect that HAProxy's own persistence cannot read.</summary>
    public override IReadOnlyDictionary<string, string> NodeSettings =>
        new Dictionary<string, string>(base.NodeSettings, StringComparer.Ordinal) { ["Affinity:Stickiness:Dialect"] = "Suffix" };

    public override string Render(BalancerPlan plan) => $$"""
        {{Defaults}}

        frontend door
            bind {{plan.Address}}:{{plan.Port}}
            default_backend shops

        backend shops
            balance roundrobin
            # What follows the last dot: n1 and token.n1.
            use-server %[req.cook({{plan.Cookie}}),field(-1,.)] if { req.cook({{plan.Cookie}}) -m found }
        {{Checks}}
        {{Lines(plan.Nodes, n => $"    server {n.Name} {n.Endpoint}")}}

        """;
}
