using ShopFarm.Stores;

namespace ShopFarm;

internal sealed record FarmOptions(bool Demo, string Store, string? Redis, string? Postgres, string? Balancer, string? Logs)
{
    public const string Usage = """
        ShopFarm [--demo] [--store redis|postgres|redis-over-postgres|cookie|memory] [--redis host:port] [--postgres "Host=…"]
                 [--balancer haproxy|nginx|caddy|apache|varnish|none] [--logs folder]
          --demo      plays the story of a killed node by itself; exit code 0 only if nothing was lost
          --store     where the sessions lie; redis when left out
          --redis     uses this Redis (also: ConnectionStrings__redis); else Garnet is started
          --postgres  uses this PostgreSQL (also: ConnectionStrings__affinity-db); else the installed one is started
          --balancer  else the first of them that is on the PATH
          --logs      keeps the logs of all processes there
        """;

    /// <summary>Null when the arguments are not understood.</summary>
    public static FarmOptions? Read(string[] args)
    {
        var options = new FarmOptions(
            Demo: false, "redis", Environment.GetEnvironmentVariable("ConnectionStrings__redis"), Environment.GetEnvironmentVariable("ConnectionStrings__affinity-db"), Balancer: null, Logs: null);
        for (var i = 0; i < args.Length; i++)
        {
            var value = i + 1 < args.Length ? args[i + 1] : null;
            switch (args[i])
            {
                case "--demo":
                    options = options with { Demo = true };
                    continue;
                case "--redis" when value is not null:
                    options = options with { Redis = value };
                    break;
                case "--store" when value is not null && Stores.Store.Kinds.Contains(value, StringComparer.Ordinal):
                    options = options with { Store = value };
                    break;
                case "--postgres" when value is not null:
                    options = options with { Postgres = value };
                    break;
                case "--balancer" when value is "haproxy" or "nginx" or "caddy" or "apache" or "varnish" or "none":
                    options = options with { Balancer = value };
                    break;
                case "--logs" when value is not null:
                    options = options with { Logs = value };
                    break;
                default:
                    return null;
            }

            i++;
        }

        return options;
    }
}
