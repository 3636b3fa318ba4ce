using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>Sessions, snapshots and tickets with the values that a test of the node's memory cares for.</summary>
internal static class NearSample
{
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan Idle = TimeSpan.FromMinutes(20);
    public static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    public static SessionsOptions Options(long? maxBytes = null, bool enabled = true, TimeSpan? idle = null)
    {
        var options = new SessionsOptions { IdleTimeout = idle ?? Idle };
        (options.NearCache.MaxBytes, options.NearCache.Enabled, options.NearCache.MaxAge) = (maxBytes, enabled, MaxAge);
        return options;
    }

    /// <summary>A loader with all that it needs; what the healer does in the background it does not do.</summary>
    public static SessionLoader Loader(
        ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics? metrics = null, ISessionAnnouncements? nodes = null,
        SessionLosses? losses = null, SessionHealer? healer = null, int others = 0)
    {
        metrics ??= TestMetrics.Create();
        losses ??= Losses(store, time, metrics);
        return new SessionLoader(store, near, healer ?? Healer(store, near, options, time, metrics, losses), losses, options, time, metrics, NullLogger<SessionLoader>.Instance, nodes, new OtherNodes(() => others));
    }

    public static SessionLosses Losses(ISessionStore store, TimeProvider time, AffinityMetrics? metrics = null, ILogger<SessionLosses>? logger = null) =>
        new(store, time, metrics ?? TestMetrics.Create(), logger ?? NullLogger<SessionLosses>.Instance);

    public static SessionHealer Healer(
        ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics? metrics = null, SessionLosses? losses = null, ILogger<SessionHealer>? logger = null) =>
        new(store, near, losses ?? Losses(store, time), options, time, metrics ?? TestMetrics.Create(), logger ?? NullLogger<SessionHealer>.Instance);

    public static SessionVersion Version(ulong counter, ulong stamp = 77) => counter == 0 ? SessionVersion.None : new(counter, stamp);

    public static SessionSnapshot Snapshot(TimeProvider time, ulong counter = 1, int generation = 0, TimeSpan? idle = null, TimeSpan? absolute = null, byte[]? value = null, ulong stamp = 77) => new()
    {
        Version = Version(counter, stamp),
        Generation = generation,
        Created = time.GetUtcNow(),
        Renewed = time.GetUtcNow(),
        Items = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["x"] = value ?? [1] },
        IdleUntil = time.GetUtcNow() + (idle ?? Idle),
        Expires = time.GetUtcNow() + (absolute ?? TimeSpan.FromHours(24)),
    };

    /// <summary>As if the store had said so just now.</summary>
    public static NearSession Near(ManualTime time, SessionId session, SessionSnapshot snapshot, long? asOf = null) => new(SessionKey.Of(session), snapshot, asOf ?? time.GetTimestamp());

    public static Ticket Ticket(TimeProvider time, SessionId session, SessionVersion version, int generation = 0) =>
        new(session, version, generation, time.GetUtcNow(), time.GetUtcNow() + Idle, time.GetUtcNow() + TimeSpan.FromHours(24));
}
