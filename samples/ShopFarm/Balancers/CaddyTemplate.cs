namespace ShopFarm.Balancers;

/// <summary>
/// Caddy with a matcher per node; unlike its own policy for cookies it needs no value that is computed. It keeps no bodies for a second attempt (<c>request_buffers</c>): before 2.11.2
/// a POST that is tried again reads from a buffer that another request may have got meanwhile (pull requests 7360 and 7547).
/// </summary>
internal sealed class CaddyTemplate : BalancerTemplate
{
    public override string Name => "caddy";

    public override string Program => "caddy";

    /// <summary>Before 2.11.2 no POST is tried again. Until a check has failed: twice its interval, for machines with few cores.</summary>
    public override TimeSpan PostsFailFor => TimeSpan.FromSeconds(1);

    public override string Render(BalancerPlan plan) => $$"""
        (shops) {
            lb_try_duration 3s
            lb_try_interval 50ms
            fail_duration 2s
            health_interval 500ms
        }

        http://:{{plan.Port}} {
            bind {{plan.Address}}

            # Bound visitors: the named node first, the others only when it does not live.
        {{Lines(plan.Nodes, n => Handle(plan, n))}}

            # New visitors: the nodes that are ready.
            handle {
                reverse_proxy {{Endpoints(plan.Nodes)}} {
                    import shops
                    lb_policy round_robin
                    health_uri {{Ready}}
                }
            }
        }

        """;

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder)
    {
        var text = $$"""
            {
                admin off
                auto_https off
            }
            {{Render(plan)}}
            """;
        return ["run", "--adapter", "caddyfile", "--config", Write(folder, "Caddyfile", text)];
    }

    private static string Handle(BalancerPlan plan, BalancedNode node) => $$"""
            @{{node.Name}} header_regexp Cookie (^|;\s*){{plan.Cookie}}={{node.Name}}(;|$)
            handle @{{node.Name}} {
                reverse_proxy {{Endpoints(plan.From(node))}} {
                    import shops
                    lb_policy first
                    health_uri {{Live}}
                }
            }
        """;

    private static string Endpoints(IEnumerable<BalancedNode> nodes) => string.Join(' ', nodes.Select(n => n.Endpoint));
}
