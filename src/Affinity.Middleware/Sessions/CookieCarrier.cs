using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// The whole session rides in the visitor's ticket, under its MAC, with its idle and absolute time. No store is asked, unless there is a floor. Of parallel responses the one that the browser stores last counts, whole.
/// </summary>
/// <param name="content">Its form there.</param>
/// <param name="keys">What signs tickets.</param>
/// <param name="options">What a session is.</param>
/// <param name="time">The clock of this node: there is no other.</param>
/// <param name="metrics">Where it is counted.</param>
/// <param name="logger">Where it is told.</param>
/// <param name="floor">What the shared store knows of versions; null: nothing.</param>
internal sealed class CookieCarrier(
    CookieContent content, ISigningKeys keys, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<CookieCarrier> logger, SessionFloor? floor = null) : ISessionCarrier
{
    public SessionsOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    public SessionOutage? Outage => null;

    public FrameworkSessions? Former => null;

    public bool CanIssue => keys.Current is not null;

    public async ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (ticket.Content is not { } bytes || Time.GetUtcNow() >= ticket.IdleUntil)
        {
            return Told(new SessionLoadResult(SessionLoadKind.Absent, Snapshot: null) { IsNear = true }, "absent");
        }

        var opening = await content.OpenAsync(ticket.Session, bytes, cancellationToken);
        switch (opening.Kind)
        {
            case ContentKind.Unopened:
                metrics.SessionLoaded("unreachable");
                logger.SessionContentUnopened(ticket.Session.ToFingerprint());
                throw new SessionUnavailableException("The session in the visitor's ticket cannot be read here just now.");
            case ContentKind.Damaged:
                logger.SessionContentDamaged(ticket.Session.ToFingerprint());
                return Told(new SessionLoadResult(SessionLoadKind.Absent, Snapshot: null) { IsNear = true }, "unreadable");
        }

        var session = new SessionSnapshot
        {
            Version = ticket.Version,
            Generation = ticket.Generation,
            Created = opening.Created,
            Renewed = opening.Renewed,
            Items = opening.Items,
            IdleUntil = ticket.IdleUntil,
            Expires = ticket.Expires,
        };
        var found = new SessionLoadResult(SessionLoadKind.Found, session) { IsNear = true, IsInTicket = true };
        return floor is null ? Told(found, "found") : await floor.CheckAsync(ticket, found, cancellationToken);
    }

    public async ValueTask<SavedSession> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta)
    {
        if (!CanIssue)
        {
            throw new SessionUnavailableException("The session was not saved: there is no key yet to sign the visitor's ticket with.");
        }

        var now = Time.GetUtcNow();
        if (now >= start.Expires)
        {
            throw SessionRefusals.Ended(id, SessionEnding.Lost, metrics, logger);
        }

        try
        {
            var next = Next(start, delta, now);
            SessionCaps.ThrowIfTooMany(start.Items, next.Items, Options);
            var bytes = content.Encode(id, next.Created, next.Renewed, next.Items);
            if (floor is not null && await floor.RaiseAsync(id, start, next) is { } ending)
            {
                throw SessionRefusals.Ended(id, ending, metrics, logger);
            }

            metrics.SessionSaved("written");
            var ticket = new Ticket(id, next.Version, next.Generation, now, next.IdleUntil, next.Expires) { Content = bytes };
            return new SavedSession(next, ticket, floor is null ? StoreReach.NotAsked : StoreReach.Reachable);
        }
        catch (SessionStoreException e)
        {
            metrics.SessionSaved("failed");
            logger.SessionSaveFailed(id.ToFingerprint(), e.Fault.ToString(), e.Message);
            throw new SessionUnavailableException("The session could not be saved: " + e.Message, e);
        }
        catch (SessionTooLargeException e)
        {
            SessionRefusals.TooLarge(id, e, metrics, logger);
            throw;
        }
    }

    public async ValueTask AbandonAsync(SessionId id, CancellationToken cancellationToken)
    {
        try
        {
            if (floor is not null)
            {
                await floor.EndAsync(id, cancellationToken);
            }
        }
        catch (SessionStoreException e)
        {
            logger.SessionSaveFailed(id.ToFingerprint(), e.Fault.ToString(), e.Message);
            throw new SessionUnavailableException("The session could not be ended: " + e.Message, e);
        }

        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.SessionAbandoned(id.ToFingerprint());
        }
    }

    public async ValueTask<Ticket?> SlideAsync(Ticket held, SessionSnapshot session)
    {
        var now = Time.GetUtcNow();
        var idleUntil = Earlier(now + Options.IdleTimeout, session.Expires);
        return idleUntil - session.IdleUntil >= Options.IdleTimeout * Options.TouchAfter && now < session.Expires && CanIssue && (floor is null || await floor.IsCurrentAsync(held))
            ? held with { Issued = now, IdleUntil = idleUntil }
            : null;
    }

    public void TellDropped(Exception failure) => SessionRefusals.Dropped(failure, logger);

    private SessionSnapshot Next(SessionSnapshot start, SessionDelta delta, DateTimeOffset now) => new()
    {
        Version = start.Version.Next(),
        Generation = delta.RaisesGeneration ? checked(start.Generation + 1) : start.Generation,
        Created = start.Created,
        Renewed = delta.RaisesGeneration ? DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()) : start.Renewed,
        Items = delta.ApplyTo(start.Items),
        IdleUntil = Earlier(now + Options.IdleTimeout, start.Expires),
        Expires = start.Expires,
    };

    private SessionLoadResult Told(SessionLoadResult result, string outcome)
    {
        metrics.SessionLoaded(outcome);
        return result;
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
