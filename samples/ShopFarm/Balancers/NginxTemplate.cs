namespace ShopFarm.Balancers;

/// <summary>nginx as it comes, without a module for sticky sessions: an upstream per node, chosen by the cookie.</summary>
internal class NginxTemplate : BalancerTemplate
{
    public override string Name => "nginx";

    public override string Program => "nginx";

    public override string Render(BalancerPlan plan) => $$"""
        {{Upstream("shops", plan.Nodes, [])}}

        # One per node: the others only when it does not answer.
        {{Lines(plan.Nodes, n => Upstream("shops_" + n.Name, [n], plan.From(n).Skip(1)))}}

        map $cookie_{{plan.Cookie}} $shops {
            default shops;
        {{Lines(plan.Nodes, n => $"    {n.Name} shops_{n.Name};")}}
        }

        {{Server(plan)}}

        """;

    public override IReadOnlyList<string> Prepare(BalancerPlan plan, string folder)
    {
        Write(folder, "shops.conf", Render(plan));

        // One process: a master that is killed leaves its workers behind.
        var main = $$"""
            daemon off; master_process off; pid {{folder}}/nginx.pid; error_log {{folder}}/error.log warn;
            events { worker_connections 1024; }
            http {
                access_log off;
                client_body_temp_path {{folder}}/body; proxy_temp_path {{folder}}/proxy;
                fastcgi_temp_path {{folder}}/fastcgi; uwsgi_temp_path {{folder}}/uwsgi; scgi_temp_path {{folder}}/scgi;
                include {{folder}}/shops.conf;
            }

            """;
        return ["-e", Path.Combine(folder, "error.log"), "-p", folder, "-c", Write(folder, "nginx.conf", main)];
    }

    protected static string Upstream(string name, IEnumerable<BalancedNode> nodes, IEnumerable<BalancedNode> backups) => $$"""
        upstream {{name}} {
            zone {{name}} 64k;
        {{Lines(nodes.Select(n => $"    server {n.Endpoint} max_fails=1 fail_timeout=2s;").Concat(backups.Select(n => $"    server {n.Endpoint} backup;")), line => line)}}
            keepalive 16;
        }
        """;

    protected static string Server(BalancerPlan plan) => $$"""
        server {
            listen {{plan.Address}}:{{plan.Port}};
            location / {
                proxy_pass http://$shops;
                proxy_http_version 1.1;
                proxy_set_header Connection "";
                proxy_set_header Host $http_host;
                proxy_connect_timeout 1s;
                # A request that was sent goes to the next node only if it is safe to repeat; a POST is not.
                proxy_next_upstream error timeout;
                proxy_next_upstream_tries 3;
            }
        }
        """;
}
