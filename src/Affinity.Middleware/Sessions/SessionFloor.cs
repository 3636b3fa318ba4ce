using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// The floor below which a ticket that carries its session is refused: the store keeps a record of each session that has no items, only version, generation and, in the place of the time of its renewal, that of its last save.
/// It lives as long as the session can, however idle. A store that has lost a floor takes the next ticket's word for it.
/// </summary>
internal sealed class SessionFloor(
    ISessionStore store, SessionLoader loader, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionFloor> logger)
{
    private const int MaxTries = 4;

    /// <summary>Compares a ticket with its floor; what this node remembers of that may be as old as <see cref="NearCacheOptions.MaxAge"/>.</summary>
    /// <param name="ticket">The visitor's.</param>
    /// <param name="found">What it carries.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><paramref name="found"/>, or why it does not count.</returns>
    /// <exception cref="SessionStoreException">The store failed, so nobody knows.</exception>
    public async ValueTask<SessionLoadResult> CheckAsync(Ticket ticket, SessionLoadResult found, CancellationToken cancellationToken)
    {
        var floor = await loader.LoadAsync(ticket, cancellationToken);
        switch (floor.Kind)
        {
            case SessionLoadKind.Found when floor.Snapshot!.Version == ticket.Version:
                return found with { IsNear = floor.IsNear };
            case SessionLoadKind.Found or SessionLoadKind.Diverged:
                return Superseded(ticket, floor.Snapshot!);
            case SessionLoadKind.Behind or SessionLoadKind.Lost:
                await GiveBackAsync(ticket, found.Snapshot!, floor.Snapshot?.Version ?? SessionVersion.None);
                return found with { IsNear = false };
            default:
                return floor;
        }
    }

    /// <summary>Raises the floor from the version that the request began with. Null: done, or nobody knows, in which case the visitor's ticket is ahead of it, which is as good.</summary>
    /// <returns>Why the request's changes are refused.</returns>
    /// <exception cref="SessionStoreException">The floor was not raised.</exception>
    public async ValueTask<SessionEnding?> RaiseAsync(SessionId id, SessionSnapshot start, SessionSnapshot next)
    {
        var asOf = time.GetTimestamp();
        var ending = await WriteAsync(id, start.Version, next);
        if (ending is null)
        {
            near.Put(id, new NearSession(SessionKey.Of(id), FloorOf(next, time.GetUtcNow()), asOf));
        }

        return ending;
    }

    /// <summary>Ends a session: its tickets are refused for as long as they could count.</summary>
    /// <exception cref="SessionStoreException">The store failed; the session may live on.</exception>
    public async ValueTask EndAsync(SessionId id, CancellationToken cancellationToken)
    {
        var key = SessionKey.Of(id);
        await store.DeleteAsync(key, options.AbsoluteTimeout, cancellationToken);
        near.Refuse(key);
    }

    /// <summary>Whether a ticket is the newest of its session, by the store's own word: only that may be handed out again. False when the store does not say.</summary>
    public async ValueTask<bool> IsCurrentAsync(Ticket ticket)
    {
        try
        {
            return (await store.ReadAsync(SessionKey.Of(ticket.Session), ticket.Version, CancellationToken.None)).Kind == SessionReadKind.Unchanged;
        }
        catch (SessionStoreException)
        {
            return false;
        }
    }

    private SessionLoadResult Superseded(Ticket ticket, SessionSnapshot floor)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.SessionBelowFloor(ticket.Session.ToFingerprint(), ticket.Version.ToString(), floor.Version.ToString());
        }

        metrics.SessionLoaded("superseded");
        return new(time.GetUtcNow() - floor.Renewed < SessionLoader.StaleTicketGrace ? SessionLoadKind.JustSuperseded : SessionLoadKind.Superseded, Snapshot: null);
    }

    /// <summary>The store has less than the visitor proves. That it cannot be told now changes nothing for this request.</summary>
    private async ValueTask GiveBackAsync(Ticket ticket, SessionSnapshot proven, SessionVersion stored)
    {
        try
        {
            await WriteAsync(ticket.Session, stored, proven);
        }
        catch (SessionStoreException e)
        {
            logger.SessionFloorNotRaised(ticket.Session.ToFingerprint(), e.Message);
        }
    }

    private async ValueTask<SessionEnding?> WriteAsync(SessionId id, SessionVersion expected, SessionSnapshot next)
    {
        for (var tries = 1; tries <= MaxTries; tries++)
        {
            var now = time.GetUtcNow();
            var life = next.Expires > now ? next.Expires - now : options.AbsoluteTimeout;
            var payload = SessionCodec.Encode(next.Created, DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()), SessionSnapshot.NoItems, options.MaxBytes);
            var result = await WriteOnceAsync(id, new SessionWrite(expected, next.Version, next.Generation, payload, life, life));
            switch (result.Kind)
            {
                case SessionWriteKind.Written:
                    return null;
                case SessionWriteKind.Absent:
                    expected = SessionVersion.None;
                    break;
                case SessionWriteKind.Conflict when result.Newer!.Version.Counter < next.Version.Counter && (result.Newer.Version.Counter < expected.Counter || expected.IsNone):
                    expected = result.Newer.Version; // it has lost what came after
                    break;
                case SessionWriteKind.Conflict or SessionWriteKind.Superseded:
                    return SessionEnding.Superseded;
                case SessionWriteKind.Ended:
                    return SessionEnding.Abandoned;
                default:
                    throw new UnreachableException();
            }
        }

        throw new SessionStoreException(SessionStoreFault.NotApplied, "The version of the session was not raised: the store's answers contradict each other.");
    }

    private async ValueTask<SessionWriteResult> WriteOnceAsync(SessionId id, SessionWrite write)
    {
        var key = SessionKey.Of(id);
        try
        {
            return await store.WriteAsync(key, write, CancellationToken.None);
        }
        catch (SessionStoreException e) when (e.Fault == SessionStoreFault.Ambiguous)
        {
            try
            {
                return await store.WriteAsync(key, write, CancellationToken.None);
            }
            catch (SessionStoreException again) when (again.Fault != SessionStoreFault.Unreadable)
            {
                // If it has arrived, the visitor must have the new ticket; if not, the new ticket is ahead, which raises the floor later.
                logger.SessionFloorNotRaised(id.ToFingerprint(), e.Message);
                return new SessionWriteResult(SessionWriteKind.Written, Newer: null);
            }
        }
    }

    private static SessionSnapshot FloorOf(SessionSnapshot session, DateTimeOffset saved) => new()
    {
        Version = session.Version,
        Generation = session.Generation,
        Created = session.Created,
        Renewed = saved,
        Items = SessionSnapshot.NoItems,
        IdleUntil = session.Expires,
        Expires = session.Expires,
    };
}
