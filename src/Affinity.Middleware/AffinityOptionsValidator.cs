using Affinity.Backends;
using Affinity.Backends.Redis;
using Affinity.Backends.Standby;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Reports every fault of every options class at once, each with its cure.</summary>
internal sealed class AffinityOptionsValidator(IOptions<HostOptions> host, IHostEnvironment environment, CustomDialect? dialect = null, IEnumerable<SharedBackend>? backends = null)
    : IValidateOptions<AffinityOptions>
{
    /// <summary>How a store is named, for every message that asks for one.</summary>
    private const string SetAStore = "set ConnectionStrings:redis, or ConnectionStrings:affinity-db with the package Affinity.Postgres";

    /// <summary>A store whose package is not there.</summary>
    public static string NotOffered(StoreKind store) => store is StoreKind.Postgres or StoreKind.RedisOverPostgres
        ? "ConnectionStrings:affinity-db is set or Affinity:Store names Postgres, but the package Affinity.Postgres is not there: add a reference to it, or leave both out."
        : $"Affinity:Store is {store}, which nothing offers.";

    /// <summary>What must be offered for a store: one in front of another needs both.</summary>
    private static StoreKind[] DecidersOf(StoreKind store) => store == StoreKind.RedisOverPostgres ? [store, StoreKind.Postgres] : [store];

    public ValidateOptionsResult Validate(string? name, AffinityOptions options)
    {
        List<string> faults =
        [
            .. OwnFaults(options),
            .. StoreFaults(options),
            .. StandbyStoreOptionsValidator.Faults(
                options.StandbyStore, options.StandbyStore.Configuration is { } standby && RedisOptionsValidator.IsReadable(standby), options.StoreKnowsNodes, options.Node.DeadAfter),
            .. SecretsValidator.Faults([.. options.Secrets]),
            .. NodeOptionsValidator.Faults(options.Node),
            .. DrainOptionsValidator.Faults(options.Drain, host.Value.ShutdownTimeout),
            .. AgentCheckOptionsValidator.Faults(options.AgentCheck),
            .. TicketOptionsValidator.Faults(options.Ticket),
            .. StickinessOptionsValidator.Faults(options.Stickiness, secure: !options.Ticket.InsecureAllowHttp),
            .. ReleaseFaults(options),
            .. CookieFaults(options),
            .. DialectFaults(options),
            .. SessionsOptionsValidator.Faults(options.Sessions),
            .. CookieSessionsOptionsValidator.Faults(options.Sessions.Cookie),
            .. CarrierFaults(options),
            .. NearCacheOptionsValidator.Faults(options.Sessions.NearCache),
            .. EndpointsOptionsValidator.Faults(options.Endpoints, environment.IsDevelopment()),
            .. RedisOptionsValidator.Faults(options.Redis),
            .. (backends ?? []).SelectMany(backend => backend.Faults()),
        ];
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    /// <summary>Only for settings that are right themselves.</summary>
    private IEnumerable<string> DialectFaults(AffinityOptions options) =>
        options.Stickiness.Enabled && Enum.IsDefined(options.Stickiness.Dialect) && (options.Node.Id is null || NodeId.TryParse(options.Node.Id, out _))
            ? DialectValidator.Faults(dialect?.Dialect ?? BuiltInDialects.Of(options.Stickiness.Dialect), new RouteTarget(NodeName.From(options.Node.Id, Environment.MachineName), options.Node.Address))
            : [];

    /// <summary>Nodes hear of each other's load with a heartbeat, and of what a release has done with the next one.</summary>
    private static IEnumerable<string> ReleaseFaults(AffinityOptions options)
    {
        if (options.Stickiness is { ReleaseAbove: not null } release && release.ReleaseInterval / 2 < options.Node.HeartbeatInterval)
        {
            yield return $"Affinity:Stickiness:ReleaseInterval is {release.ReleaseInterval} but must be at least 2 × Affinity:Node:HeartbeatInterval ({options.Node.HeartbeatInterval}) when ReleaseAbove is set, "
                + "or nodes judge by figures from before the last release and hand the same visitors to and fro; lengthen it, shorten the other, or leave ReleaseAbove out.";
        }
    }

    /// <summary>Cookies of one name would overwrite each other.</summary>
    private static IEnumerable<string> CookieFaults(AffinityOptions options)
    {
        var ticket = TicketCookie.NameOf(options.Ticket);
        string[] signed = [ticket, BindingCookie.NameOf(ticket), .. TicketCookie.ChunkNamesOf(ticket)];
        if (options.Stickiness.CookieName is { } route && signed.Contains(route, StringComparer.Ordinal))
        {
            yield return $"Affinity:Stickiness:CookieName is {route}, which is a cookie that Affinity signs; leave it out for AFF, or use another name.";
        }

        if (options.Stickiness.ApplicationCookie is { } followed && signed.Contains(followed, StringComparer.Ordinal))
        {
            yield return $"Affinity:Stickiness:ApplicationCookie is {followed}, which is written after the binding is decided; name a cookie that the app sets.";
        }
    }

    private static IEnumerable<string> CarrierFaults(AffinityOptions options)
    {
        if (options is { Sessions.Carrier: SessionCarrier.Cookie, Secrets.Count: 0, SharesKeys: false })
        {
            yield return "Affinity:Sessions:Carrier is Cookie, but without Affinity:Secrets, a store or Affinity:KeyDirectory no other instance could verify a cookie of this one: give all instances one secret, made with: openssl rand -base64 32";
        }

        if (options is { Sessions: { Carrier: SessionCarrier.Cookie, Cookie.Floor: ReplayFloor.Store }, IsShared: false })
        {
            yield return $"Affinity:Sessions:Cookie:Floor is Store, but no store is configured: {SetAStore}, or leave it out for None.";
        }
    }

    /// <summary>A store that is named must be there, and which one it is must not be a guess.</summary>
    private IEnumerable<string> StoreFaults(AffinityOptions options)
    {
        if (!Enum.IsDefined(options.Store))
        {
            yield return $"Affinity:Store must be one of {string.Join(", ", Enum.GetNames<StoreKind>())}.";
        }
        else if (options is { Store: StoreKind.Automatic, HasDatabase: true, HasRedis: true })
        {
            yield return "ConnectionStrings:affinity-db and ConnectionStrings:redis are both set: say by Affinity:Store whether sessions lie in Postgres, in Redis, or in RedisOverPostgres, where Redis is only a cache.";
        }
        else if (backends is not null && !DecidersOf(options.ChosenStore).All(kind => backends.Any(backend => backend.Kind == kind)))
        {
            yield return NotOffered(options.ChosenStore);
        }

        if (options is { Store: StoreKind.Redis or StoreKind.RedisOverPostgres, HasRedis: false })
        {
            yield return $"Affinity:Store is {options.Store}, but nothing says where Redis is: set ConnectionStrings:redis or Affinity:Redis:Configuration, like 'host:6379,password=…,ssl=true'.";
        }

        if (options is { Store: StoreKind.Distributed, Secrets.Count: 0, KeyDirectory: null })
        {
            yield return "Affinity:Store is Distributed, and a cache evicts, so no keys lie in it: set Affinity:KeyDirectory to a directory that all instances share, or give all one secret (Affinity:Secrets, made with: openssl rand -base64 32) and share the app's Data Protection keys.";
        }

        if (options is { Store: StoreKind.Postgres or StoreKind.RedisOverPostgres, HasDatabase: false })
        {
            yield return $"Affinity:Store is {options.Store}, but nothing says where the database is: set ConnectionStrings:affinity-db or Affinity:Postgres:ConnectionString, like 'Host=db;Database=shop;Username=shop;Password=…'.";
        }
    }

    private static IEnumerable<string> OwnFaults(AffinityOptions options)
    {
        if (options.Application is null or { Length: 0 or > 200 })
        {
            yield return "Affinity:Application must have 1 to 200 characters: name the app, the same on every instance, or leave it out to use the host's application name.";
        }

        if (options.KeyDirectory is { } directory && !Path.IsPathFullyQualified(directory))
        {
            yield return "Affinity:KeyDirectory must be a full path, such as /var/lib/shop/keys, the same place for all instances; or leave it out to keep the keys in the store.";
        }
    }
}
