namespace Affinity.Sessions;

/// <summary>When a session is fetched from the store.</summary>
public enum SessionLoad
{
    /// <summary>Awaited before the app, for every request with a ticket: one store trip, and session access never waits. The default.</summary>
    BeforeApp,

    /// <summary>When the app awaits <c>LoadAsync</c>; a request that does not touch its session costs no trip. Reading without it throws.</summary>
    OnDemand,
}

/// <summary>What happens to a request whose session the store has lost, wholly or in part, when no node that was asked remembers it.</summary>
public enum LostWritePolicy
{
    /// <summary>It goes on with what there is: an older state, or none. It is told in the log, in the metrics and to the app. The default.</summary>
    Tell,

    /// <summary>Using the session fails, once, with <see cref="SessionEndedException"/>, and the visitor's ticket is made to fit what is left: for an app that would rather show an error than an older basket.</summary>
    Fail,
}

/// <summary>What becomes of a change that the session store cannot be told.</summary>
public enum StoreAway
{
    /// <summary>
    /// It rides in the visitor's ticket, encrypted, and is told to the store before the next request of the visitor sees the session. One that does not fit is an error. Sessions that the node remembers
    /// are served whatever their age. The default.
    /// </summary>
    Journal,

    /// <summary>It is an error, and so is reading a session that the node does not remember freshly: the response is 503. The cookie stays small and never holds content.</summary>
    Fail,

    /// <summary>Sessions that the node remembers are read whatever their age; a change is an error: when it is made, if the outage is known by then, else when it is saved.</summary>
    ReadOnly,
}

/// <summary>When a save counts as kept.</summary>
public enum SessionDurability
{
    /// <summary>When the store's primary has acknowledged it. What a fail-over loses is healed by the nodes that remember it, and told where none does. The default.</summary>
    Primary,

    /// <summary>
    /// The same, and until the save is known to have reached a replica it rides in the visitor's ticket as well, encrypted, if it is small enough: a store that has lost it is told it again by the visitor's next request, though every
    /// node that remembers it is gone. Costs a larger cookie for about a second, another <c>Set-Cookie</c> afterwards, and a question to the store per second and node.
    /// </summary>
    Replicated,
}

/// <summary>Where sessions lie.</summary>
public enum SessionCarrier
{
    /// <summary>In the shared store; the visitor's ticket only names the session. The default.</summary>
    Store,

    /// <summary>
    /// In the visitor's ticket, wholly: no store is needed or asked, and any instance that has the same <c>Affinity:Secrets</c> and Data Protection keys serves any visitor. A session has room for about 2 KB, and of parallel
    /// requests that change it the one whose response the browser stores last counts.
    /// </summary>
    Cookie,
}

/// <summary>What a session is: section <c>Affinity:Sessions</c>.</summary>
public sealed class SessionsOptions
{
    /// <summary>Where sessions lie. The same on every instance; changing it ends all sessions.</summary>
    public SessionCarrier Carrier { get; set; } = SessionCarrier.Store;

    /// <summary>When a session is fetched from the store.</summary>
    public SessionLoad Load { get; set; } = SessionLoad.BeforeApp;

    /// <summary>A session that nobody used for this long is gone. 1 second to 90 days, at most <see cref="AbsoluteTimeout"/>; 20 minutes by default.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(20);

    /// <summary>A session ends this long after it began, however busy. At most 90 days; 24 hours by default.</summary>
    public TimeSpan AbsoluteTimeout { get; set; } = TimeSpan.FromHours(24);

    /// <summary>
    /// A session that is only read has its idle time slid, in the background, when this fraction of it has passed: no write per request.
    /// 0.05 to 0.9; 0.25 by default. A visitor who only reads may thus be timed out up to this fraction earlier than <see cref="IdleTimeout"/>.
    /// </summary>
    public double TouchAfter { get; set; } = 0.25;

    /// <summary>The longest that one store call may take, tries and pauses included. 10 ms to 1 minute; 1 second by default.</summary>
    public TimeSpan StoreTimeout { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>What happens when the store has lost what a visitor was answered. <see cref="LostWritePolicy.Tell"/> by default; <see cref="LostWritePolicy.Fail"/> answers one request with 409.</summary>
    public LostWritePolicy OnLostWrite { get; set; } = LostWritePolicy.Tell;

    /// <summary>The largest encoded session in bytes. 1 KiB to 64 MiB; 1 MiB by default. A larger one is refused before the first byte of the response.</summary>
    public int MaxBytes { get; set; } = 1024 * 1024;

    /// <summary>The most items of a session. 1 to 1,000,000; 10,000 by default. One more is refused before the first byte of the response.</summary>
    public int MaxItems { get; set; } = 10_000;

    /// <summary>The longest key of an item, in bytes of UTF-8. 16 to 65,535; 1,024 by default. A longer one is refused when it is set.</summary>
    public int MaxKeyBytes { get; set; } = 1024;

    /// <summary>What becomes of a change that the store cannot be told. The room is <c>Affinity:Ticket:MaxBytes</c>.</summary>
    public StoreAway OnStoreAway { get; set; } = StoreAway.Journal;

    /// <summary>How sessions ride in tickets.</summary>
    public CookieSessionsOptions Cookie { get; } = new();

    /// <summary>Whether the last saves ride along until they are replicated. The room is <c>Affinity:Ticket:MaxBytes</c>; what has none does not ride along.</summary>
    public SessionDurability Durability { get; set; } = SessionDurability.Primary;

    /// <summary>
    /// Whether a visitor without a ticket who has a session of the framework's (<c>AddSession</c>, in the <c>IDistributedCache</c> that the app registers) is given its content: for a rolling move from that. Off by default; turn it off again
    /// when the framework's idle time-out has passed since the last old instance stopped.
    /// </summary>
    public bool ReadFrameworkSessions { get; set; }

    /// <summary>The name of the framework's session cookie. 1 to 64 characters of a cookie name; <c>.AspNetCore.Session</c> by default.</summary>
    public string FrameworkCookieName { get; set; } = ".AspNetCore.Session";

    /// <summary>What the node remembers.</summary>
    public NearCacheOptions NearCache { get; } = new();
}
