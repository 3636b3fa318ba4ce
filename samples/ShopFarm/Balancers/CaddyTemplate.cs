using System.Diagnostics;

namespace ShopFarm.Balancers;

/// <summary>Caddy with a matcher per node; unlike its own policy for cookies it needs no value that is computed.</summary>
internal sealed class CaddyTemplate : BalancerTemplate
{
    public override string Name => "caddy";

    public override string Program => "caddy";

    public override string Render(BalancerPlan plan) => Render(plan, "request_buffers 64KiB");

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder)
    {
        var text = $$"""
            {
                admin off
                auto_https off
            }
            {{Render(plan, IsOlderThan27() ? "buffer_requests" : "request_buffers 64KiB")}}
            """;
        return ["run", "--adapter", "caddyfile", "--config", Write(folder, "Caddyfile", text)];
    }

    private static string Render(BalancerPlan plan, string buffer) => $$"""
        (shops) {
            lb_try_duration 3s
            lb_try_interval 50ms
            fail_duration 2s
            health_interval 500ms
            # Keeps a POST's body for the next node when the first refuses the connection. Before Caddy 2.7: buffer_requests
            {{buffer}}
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

    private static string Handle(BalancerPlan plan, BalancedNode node) => $$"""
            @{{node.Name}} header_regexp Cookie (^|;\s*){{plan.Cookie}}={{BalancerPlan.Names(node)}}(;|$)
            handle @{{node.Name}} {
                reverse_proxy {{Endpoints(plan.From(node))}} {
                    import shops
                    lb_policy first
                    health_uri {{Live}}
                }
            }
        """;

    private static string Endpoints(IEnumerable<BalancedNode> nodes) => string.Join(' ', nodes.Select(n => n.Endpoint));

    private static bool IsOlderThan27()
    {
        using var caddy = Process.Start(new ProcessStartInfo(Tools.OnPath("caddy") ?? "caddy", ["version"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        var version = caddy.StandardOutput.ReadToEnd().Split(' ')[0].Trim().TrimStart('v');
        return Version.TryParse(version, out var v) && v < new Version(2, 7);
    }
}
