using Affinity.Backends;
using Affinity.Backends.Redis;
using Affinity.Backends.Standby;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;

namespace Affinity;

/// <summary>Every setting: section <c>Affinity</c>. All have a safe default; faults are reported together, each with its cure, when the app starts.</summary>
public sealed class AffinityOptions
{
    /// <summary>
    /// The name that all instances of this app share and no other app does: it is bound into tickets, is the Data Protection application name, and stands in the store's keys.
    /// Null (the default): the host's application name, which is the name of the entry assembly. 1 to 200 characters.
    /// </summary>
    public string? Application { get; set; }

    /// <summary>Which store the instances share. <see cref="StoreKind.Automatic"/> (the default): the one whose connection string is there; without any, this process alone.</summary>
    public StoreKind Store { get; set; }

    /// <summary>
    /// Base64 of at least 32 random bytes each, the same on every instance: the first signs tickets, all verify. Empty (the default): the instances share a signing key through the store.
    /// With secrets, tickets can be verified while the store is away. Make one with <c>openssl rand -base64 32</c> and keep it where passwords are kept.
    /// </summary>
    public IList<string> Secrets { get; } = [];

    /// <summary>
    /// The full path of a directory that all instances share, on one host or on a volume that they mount: Data Protection keys lie there, and signing keys when there are no <see cref="Secrets"/>. For farms without a store; with one, it takes the
    /// store's place for keys. Null (the default): keys lie in the store, or nowhere. Made with access for the app's user only.
    /// </summary>
    public string? KeyDirectory { get; set; }

    /// <summary>Who this instance is.</summary>
    public NodeOptions Node { get; } = new();

    /// <summary>How it leaves.</summary>
    public DrainOptions Drain { get; } = new();

    /// <summary>How it tells HAProxy.</summary>
    public AgentCheckOptions AgentCheck { get; } = new();

    /// <summary>The cookie that carries the ticket.</summary>
    public TicketOptions Ticket { get; } = new();

    /// <summary>Which node a visitor is sent to.</summary>
    public StickinessOptions Stickiness { get; } = new();

    /// <summary>What a session is.</summary>
    public SessionsOptions Sessions { get; } = new();

    /// <summary>Who may use what <c>app.MapAffinity()</c> maps.</summary>
    public EndpointsOptions Endpoints { get; } = new();

    /// <summary>How Redis is reached, where it is the store or in front of it.</summary>
    public RedisOptions Redis { get; } = new();

    /// <summary>A second store, for the day on which the first one is away.</summary>
    public StandbyStoreOptions StandbyStore { get; } = new();

    /// <summary>Whether a connection string for a database is there.</summary>
    internal bool HasDatabase { get; set; }

    /// <summary>Whether one for Redis is.</summary>
    internal bool HasRedis => Redis.Configuration is { Length: > 0 };

    /// <summary>Whether one for a standby is.</summary>
    internal bool HasStandby => StandbyStore.Configuration is { Length: > 0 };

    /// <summary>Which store it is.</summary>
    internal StoreKind ChosenStore => Store != StoreKind.Automatic ? Store : HasDatabase ? StoreKind.Postgres : HasRedis ? StoreKind.Redis : StoreKind.Memory;

    /// <summary>Whether a store is configured that all instances reach.</summary>
    internal bool IsShared => ChosenStore != StoreKind.Memory;

    /// <summary>Whether the store knows which nodes live, and keeps keys.</summary>
    internal bool StoreKnowsNodes => ChosenStore is StoreKind.Redis or StoreKind.Postgres or StoreKind.RedisOverPostgres;

    /// <summary>What the node directory can tell of other instances.</summary>
    internal PeerSight Sight => StoreKnowsNodes ? PeerSight.All : IsShared || Sessions.Carrier == SessionCarrier.Cookie ? PeerSight.Blind : PeerSight.Alone;

    /// <summary>Whether visitors without a session are bound to a node.</summary>
    internal bool BindsWithoutSession => Stickiness.Enabled
        && (Node.Track is not null || (Stickiness.Ownership != RouteOwnership.Balancer && (Stickiness.Bind == BindMoment.Always || Stickiness.Lifetime == BindingLifetime.Application)));

    /// <summary>Whether keys lie where all instances reach them.</summary>
    internal bool SharesKeys => StoreKnowsNodes || KeyDirectory is not null;
}
