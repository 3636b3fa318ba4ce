namespace ShopFarm;

/// <summary>
/// What the balancers are told: spread visitors over the ready nodes, and take a refused connection to the next node at once. HAProxy also keeps a visitor on
/// a node; the others go round, which is as good: any node can serve any request.
/// </summary>
internal static class BalancerConfiguration
{
    private const string Ready = "/affinity/health/ready";

    /// <summary>Timers that make a dead node cost nobody an error: refused connections are safe to repeat, requests that were sent are not.</summary>
    public static string HaProxy(int port, IEnumerable<ShopNode> nodes) => $"""
        defaults
            mode http
            timeout connect 1s
            timeout client 30s
            timeout server 30s
            # Leave a dead node at the first retry; HAProxy's own default waits for the last one.
            option redispatch 1
            retries 3
        frontend door
            bind 127.0.0.1:{port}
            default_backend shops
        backend shops
            balance roundrobin
            cookie AFF insert nocache httponly
            option httpchk GET {Ready}
            default-server check inter 500 fall 2 rise 1
        {Lines(nodes, n => $"    server {n.Name} 127.0.0.1:{n.Port} cookie {n.Name}")}

        """;

    /// <summary>One process (a master that is killed leaves its workers behind), and a connection per request (an idle one that dies with its node would cost a post).</summary>
    public static string Nginx(int port, IEnumerable<ShopNode> nodes, string folder) => $$"""
        daemon off; master_process off; pid {{folder}}/nginx.pid; error_log {{folder}}/nginx-error.log warn;
        events { worker_connections 1024; }
        http {
            access_log off;
            client_body_temp_path {{folder}}/nginx-body; proxy_temp_path {{folder}}/nginx-proxy;
            fastcgi_temp_path {{folder}}/nginx-fastcgi; uwsgi_temp_path {{folder}}/nginx-uwsgi; scgi_temp_path {{folder}}/nginx-scgi;
            upstream shops {
        {{Lines(nodes, n => $"        server 127.0.0.1:{n.Port} max_fails=1 fail_timeout=2s;")}}
            }
            server {
                listen 127.0.0.1:{{port}};
                location / {
                    proxy_pass http://shops;
                    proxy_set_header Host $http_host;
                    proxy_connect_timeout 1s;
                    proxy_next_upstream error timeout;
                    proxy_next_upstream_tries 3;
                }
            }
        }

        """;

    /// <param name="port">Where it listens.</param>
    /// <param name="nodes">To where it leads.</param>
    /// <param name="bufferRequests">The directive that keeps a post's body for the next node; its name changed with version 2.7.</param>
    public static string Caddy(int port, IEnumerable<ShopNode> nodes, string bufferRequests) => $$"""
        {
            admin off
            auto_https off
        }
        http://127.0.0.1:{{port}} {
            bind 127.0.0.1
            reverse_proxy {{string.Join(' ', nodes.Select(n => $"127.0.0.1:{n.Port}"))}} {
                lb_policy round_robin
                lb_try_duration 3s
                lb_try_interval 50ms
                {{bufferRequests}}
                fail_duration 2s
                health_uri {{Ready}}
                health_interval 500ms
            }
        }

        """;

    private static string Lines(IEnumerable<ShopNode> nodes, Func<ShopNode, string> line) => string.Join('\n', nodes.Select(line));
}
