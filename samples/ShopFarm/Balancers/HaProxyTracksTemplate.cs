namespace ShopFarm.Balancers;

/// <summary>Two versions of the app behind one HAProxy: new visitors by share, bound ones to the version of their node.</summary>
internal sealed class HaProxyTracksTemplate : HaProxyTemplate
{
    public override string Name => "haproxy-tracks";

    public override string Render(BalancerPlan plan)
    {
        var (first, second) = (plan.Tracks[0], plan.Tracks[1]);
        return $$"""
            {{Defaults}}

            frontend door
                bind {{plan.Address}}:{{plan.Port}}
                acl bound req.cook({{plan.Cookie}}) -m found
                acl bound_{{second}} req.cook({{plan.Cookie}}) -m str {{string.Join(' ', plan.On(second).Select(n => n.Name))}}
                # The share of new visitors, in percent.
                acl chosen_{{second}} rand(100) lt {{plan.SecondTrackPercent}}
                use_backend {{second}} if bound_{{second}}
                use_backend {{second}} if !bound chosen_{{second}}
                default_backend {{first}}

            {{Backend(plan, first)}}

            {{Backend(plan, second)}}

            """;
    }

    /// <summary>The other version's nodes are for when none of this one is left.</summary>
    private static string Backend(BalancerPlan plan, string track) => $"""
        backend {track}
            balance roundrobin
            option allbackups
            cookie {plan.Cookie} insert preserve nocache httponly
        {Checks}
        {Lines(plan.On(track), n => $"    server {n.Name} {n.Endpoint} cookie {n.Name}")}
        {Lines(plan.NotOn(track), n => $"    server {n.Name} {n.Endpoint} cookie {n.Name} backup")}
        """;
}
