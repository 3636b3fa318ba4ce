namespace Affinity.Stickiness;

/// <summary>Which node a visitor is sent to, and for how long: section <c>Affinity:Stickiness</c>. Any node can serve any visitor; this makes it fast, never correct.</summary>
public sealed class StickinessOptions
{
    /// <summary>Whether visitors are bound at all. True by default; false: no route cookie is read or written, and each request is served wherever it comes to.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>The route cookie's name, the same as in the balancer's configuration: 1 to 64 characters of a token (RFC 6265). <c>AFF</c> by default.</summary>
    public string CookieName { get; set; } = "AFF";

    /// <summary>How the route cookie's value is written. The node's name alone by default.</summary>
    public AffinityDialect Dialect { get; set; } = AffinityDialect.Plain;

    /// <summary>Who sets the route cookie. The app by default.</summary>
    public RouteOwnership Ownership { get; set; } = RouteOwnership.App;

    /// <summary>When a visitor is bound. When there is something to be bound for, by default.</summary>
    public BindMoment Bind { get; set; } = BindMoment.WhenNeeded;

    /// <summary>How long a visitor stays bound. Until the browser closes, by default.</summary>
    public BindingLifetime Lifetime { get; set; } = BindingLifetime.Browser;

    /// <summary>With <see cref="BindingLifetime.Duration"/>: how long. 1 minute to 30 days; 1 hour by default. The cookie is renewed only when this has passed.</summary>
    public TimeSpan Duration { get; set; } = TimeSpan.FromHours(1);

    /// <summary>With <see cref="BindingLifetime.Application"/>: the name of the app's cookie that the binding follows; a token of 1 to 64 characters, not <see cref="CookieName"/>. It must be sent with every request, <c>Path=/</c>: one that does not bring it ends the binding. Null by default.</summary>
    public string? ApplicationCookie { get; set; }

    /// <summary>What happens when a request comes to another node although the bound one lives. Follow the balancer, by default.</summary>
    public OtherNodePolicy OnOtherNode { get; set; } = OtherNodePolicy.Reassign;

    /// <summary>
    /// How long a visitor stays on the version of the app that they started with, when nodes have a track. 1 minute to 7 days; 1 day by default.
    /// After it, as soon as another version takes visitors, the binding is released and the balancer chooses anew.
    /// </summary>
    public TimeSpan TrackDuration { get; set; } = TimeSpan.FromDays(1);

    /// <summary>
    /// How many times a route cookie that leads away from its binding is corrected. 0 to 15; 3 by default. After that the visitor is served where they come, with no further cookies,
    /// until they are bound to another node.
    /// </summary>
    public int RepairLimit { get; set; } = 3;

    /// <summary>
    /// A node whose load is above this multiple of the mean of its track's nodes releases bindings to lighter ones. 1.02 to 100; nodes that grow from n to m with even load are above it only if it is less than m / n. Null (the default) turns it off: a node that was
    /// added then fills with new visitors only.
    /// </summary>
    public double? ReleaseAbove { get; set; }

    /// <summary>The largest share of its bound visitors that a node releases per <see cref="ReleaseInterval"/>. 0 to 0.5; 0.05 by default. Each released visitor reads the store once.</summary>
    public double ReleaseShare { get; set; } = 0.05;

    /// <summary>How often a node judges its load anew. 1 second to 1 hour, and with <see cref="ReleaseAbove"/> at least two heartbeats, as a node would judge by figures from before its last release; 10 seconds by default.</summary>
    public TimeSpan ReleaseInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>What a dialect of the app's own says of itself, whatever <see cref="Dialect"/> is; null: there is none.</summary>
    internal bool? OwnDialectSteers { get; set; }

    /// <summary>Whether the nodes learn of each other through the store; without one that can, each knows only itself.</summary>
    internal bool StoreKnowsNodes { get; set; } = true;

    /// <summary>Whether values name a node.</summary>
    internal bool Steers => OwnDialectSteers ?? Dialect != AffinityDialect.Opaque;
}
