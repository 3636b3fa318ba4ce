namespace ShopFarm.Balancers;

/// <summary>Varnish, its directors chosen in VCL. What may be cached is left to the reader: here all requests pass.</summary>
internal sealed class VarnishTemplate : BalancerTemplate
{
    public override string Name => "varnish";

    public override string Program => "varnishd";

    /// <summary>Until a probe has failed: twice its interval, for machines with few cores.</summary>
    public override TimeSpan PostsFailFor => TimeSpan.FromSeconds(1);

    public override string Render(BalancerPlan plan) => $$"""
        vcl 4.1;
        import directors;
        import std;

        # Bound visitors come as long as the node lives, new ones only when it is ready.
        probe live { .url = "{{Live}}"; .interval = 0.5s; .timeout = 2s; .window = 2; .threshold = 2; .initial = 2; }
        probe ready { .url = "{{Ready}}"; .interval = 0.5s; .timeout = 2s; .window = 2; .threshold = 2; .initial = 2; }
        {{Lines(plan.Nodes, n => $"backend live_{n.Name} {Backend(n, "live")}")}}
        {{Lines(plan.Nodes, n => $"backend ready_{n.Name} {Backend(n, "ready")}")}}

        sub vcl_init {
            new shops = directors.round_robin();
        {{Lines(plan.Nodes, n => $"    shops.add_backend(ready_{n.Name});")}}

            # One per node: the others only when it does not live.
        {{Lines(plan.Nodes, n => Director(plan, n))}}
        }

        sub vcl_recv {
            set req.backend_hint = shops.backend();
        {{Lines(plan.Nodes, n => Choice(plan, n))}}
            if (req.method == "POST" || req.method == "PUT") {
                # So that it can be sent again when an idle connection turns out to be closed.
                std.cache_req_body(64KB);
            }
            return (pass);
        }

        sub vcl_backend_fetch {
            if (bereq.retries > 0) {
                set bereq.backend = shops.backend();
            }
        }

        # No response came: another node, if that is safe to repeat. Varnish does not tell a refused connection from a lost request, so a POST is not.
        sub vcl_backend_error {
            if (bereq.retries < 3 && (bereq.method == "GET" || bereq.method == "HEAD")) {
                return (retry);
            }
        }

        """;

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, "varnish")).FullName;

        // Enough time that Varnish closes no visitor's idle connection, into which they may just be posting: that is between the two of them.
        return
        [
            "-F", "-j", "none", "-n", own, "-a", $"{plan.Address}:{plan.Port}", "-f", Write(folder, "shops.vcl", Render(plan)), "-s", "malloc,16m",
            "-p", "timeout_idle=60",
        ];
    }

    private static string Backend(BalancedNode node, string probe) => $$"""{ .host = "{{node.Host}}"; .port = "{{node.Port}}"; .connect_timeout = 1s; .probe = {{probe}}; }""";

    private static string Director(BalancerPlan plan, BalancedNode node) => $"""
            new shops_{node.Name} = directors.fallback();
        {Lines(plan.From(node), n => $"    shops_{node.Name}.add_backend(live_{n.Name});")}
        """;

    private static string Choice(BalancerPlan plan, BalancedNode node) => $$"""
            if (req.http.Cookie ~ "(^|;\s*){{plan.Cookie}}={{node.Name}}(;|$)") {
                set req.backend_hint = shops_{{node.Name}}.backend();
            }
        """;
}
