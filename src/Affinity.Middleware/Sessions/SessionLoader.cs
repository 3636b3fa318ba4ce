using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>What a ticket led to.</summary>
internal enum SessionLoadKind
{
    /// <summary>The session, as new as the ticket says or newer.</summary>
    Found,

    /// <summary>The session, but older than what the visitor has seen: the store lost writes.</summary>
    Behind,

    /// <summary>Nothing: it expired.</summary>
    Absent,

    /// <summary>It was abandoned.</summary>
    Ended,

    /// <summary>Nothing, although it should still be there: the store lost it.</summary>
    Lost,

    /// <summary>The session was renewed at sign-in after the ticket was issued, a short time ago: the browser has a newer ticket, which must not be overwritten.</summary>
    JustSuperseded,

    /// <summary>The session was renewed at sign-in after the ticket was issued: the ticket opens nothing any more.</summary>
    Superseded,
}

/// <summary>What a ticket led to, with the session where there is one.</summary>
internal readonly record struct SessionLoadResult(SessionLoadKind Kind, SessionSnapshot? Snapshot);

/// <summary>Reads the session that a ticket names and compares it with what the ticket says of it.</summary>
internal sealed class SessionLoader(ISessionStore store, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLoader> logger)
{
    /// <summary>For this long after a sign-in an older ticket may still be under way in parallel requests of the same browser.</summary>
    public static readonly TimeSpan StaleTicketGrace = TimeSpan.FromSeconds(30);

    /// <exception cref="SessionStoreException">The store failed, or what it holds cannot be read.</exception>
    public async ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        try
        {
            var read = await store.ReadAsync(SessionKey.Of(ticket.Session), SessionVersion.None, cancellationToken);
            var result = read.Kind switch
            {
                SessionReadKind.Found => Compare(ticket, SessionDecoder.Decode(read.Session!, time)),
                SessionReadKind.Absent => time.GetUtcNow() < ticket.IdleUntil ? Lost(ticket) : new(SessionLoadKind.Absent, Snapshot: null),
                SessionReadKind.Ended => new(SessionLoadKind.Ended, Snapshot: null),
                _ => throw new UnreachableException(),
            };
            metrics.SessionLoaded(Word(result.Kind));
            return result;
        }
        catch (SessionStoreException e)
        {
            metrics.SessionLoaded(e.Fault == SessionStoreFault.Unreadable ? "unreadable" : "unreachable");
            if (e.Fault == SessionStoreFault.Unreadable)
            {
                logger.SessionUnreadable(ticket.Session.ToFingerprint());
            }
            else if (!GuardedSessionStore.WasNotAsked(e))
            {
                logger.SessionLoadFailed(ticket.Session.ToFingerprint(), e.Fault.ToString(), e.Message);
            }

            throw;
        }
    }

    private SessionLoadResult Compare(Ticket ticket, SessionSnapshot stored)
    {
        if (stored.Generation > ticket.Generation)
        {
            if (logger.IsEnabled(LogLevel.Debug))
            {
                logger.SessionSuperseded(ticket.Session.ToFingerprint(), ticket.Generation, stored.Generation);
            }

            var justNow = time.GetUtcNow() - stored.Renewed < StaleTicketGrace;
            return new(justNow ? SessionLoadKind.JustSuperseded : SessionLoadKind.Superseded, Snapshot: null);
        }

        var behind = stored.Generation < ticket.Generation
            || stored.Version.Counter < ticket.Version.Counter
            || (stored.Version.Counter == ticket.Version.Counter && stored.Version.Stamp != ticket.Version.Stamp);
        if (behind)
        {
            logger.SessionBehind(ticket.Session.ToFingerprint(), stored.Version.ToString(), ticket.Version.ToString());
        }

        return new(behind ? SessionLoadKind.Behind : SessionLoadKind.Found, stored);
    }

    private SessionLoadResult Lost(Ticket ticket)
    {
        logger.SessionLost(ticket.Session.ToFingerprint(), ticket.IdleUntil);
        return new(SessionLoadKind.Lost, Snapshot: null);
    }

    private static string Word(SessionLoadKind kind) => kind switch
    {
        SessionLoadKind.Found => "found",
        SessionLoadKind.Behind => "behind",
        SessionLoadKind.Absent => "absent",
        SessionLoadKind.Ended => "ended",
        SessionLoadKind.Lost => "lost",
        SessionLoadKind.JustSuperseded or SessionLoadKind.Superseded => "superseded",
        _ => throw new UnreachableException(),
    };
}
