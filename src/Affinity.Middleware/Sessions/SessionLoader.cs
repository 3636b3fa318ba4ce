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
internal readonly record struct SessionLoadResult(SessionLoadKind Kind, SessionSnapshot? Snapshot)
{
    /// <summary>Whether this node remembered it; else the store has said so.</summary>
    public bool IsNear { get; init; }
}

/// <summary>Finds the session that a ticket names, in this node's memory or in the store, and compares it with what the ticket says of it.</summary>
internal sealed class SessionLoader(ISessionStore store, NearCache near, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLoader> logger)
{
    /// <summary>For this long after a sign-in an older ticket may still be under way in parallel requests of the same browser.</summary>
    public static readonly TimeSpan StaleTicketGrace = TimeSpan.FromSeconds(30);

    private readonly Dictionary<SessionId, Task<SessionAnswer>> _underWay = [];

    /// <exception cref="SessionStoreException">The store failed, or what it holds cannot be read.</exception>
    public ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (near.TryFind(ticket.Session, out var known) && known.Satisfies(ticket) && near.IsFresh(known))
        {
            metrics.SessionLoaded("near");
            return ValueTask.FromResult(new SessionLoadResult(SessionLoadKind.Found, known.Snapshot) { IsNear = true });
        }

        return AskAsync(ticket, known, cancellationToken);
    }

    private async ValueTask<SessionLoadResult> AskAsync(Ticket ticket, NearSession? known, CancellationToken cancellationToken)
    {
        try
        {
            var (asking, isMine) = AskOnce(ticket.Session, known);
            var answer = await asking.WaitAsync(cancellationToken);
            if (!isMine && !(answer.Kind == SessionReadKind.Found && answer.Session!.Satisfies(ticket) && near.MayShare(answer.Session)))
            {
                // That question was older than this request, so its answer proves nothing against this ticket, nor that the session has not ended since.
                answer = await ReadAsync(ticket.Session, known).WaitAsync(cancellationToken);
            }

            var result = answer.Kind switch
            {
                SessionReadKind.Found => Compare(ticket, answer.Session!.Snapshot),
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

    /// <summary>Parallel requests of one session share one question. It is bounded by the store's time limit and not ended by a visitor who hangs up.</summary>
    private (Task<SessionAnswer> Asking, bool IsMine) AskOnce(SessionId session, NearSession? known)
    {
        lock (_underWay)
        {
            if (_underWay.TryGetValue(session, out var asking) && !asking.IsCompleted)
            {
                return (asking, false);
            }

            asking = ReadAsync(session, known);
            if (!asking.IsCompleted)
            {
                _underWay[session] = asking;
                _ = ForgetAsync(session, asking);
            }

            return (asking, true);
        }
    }

    private async Task ForgetAsync(SessionId session, Task asking)
    {
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_underWay)
        {
            if (_underWay.TryGetValue(session, out var latest) && ReferenceEquals(latest, asking))
            {
                _underWay.Remove(session);
            }
        }
    }

    private async Task<SessionAnswer> ReadAsync(SessionId session, NearSession? known)
    {
        var key = known?.Key ?? SessionKey.Of(session);
        var asOf = time.GetTimestamp();
        var read = await store.ReadAsync(key, known?.Snapshot.Version ?? SessionVersion.None, CancellationToken.None);
        switch (read.Kind)
        {
            case SessionReadKind.Found:
                return Remember(session, new NearSession(key, SessionDecoder.Decode(read.Session!, time, asOf), asOf));
            case SessionReadKind.Unchanged:
                return Remember(session, new NearSession(key, known!.Snapshot.KeptUntil(time.GetUtcNow() - time.GetElapsedTime(asOf) + read.Session!.Remaining), asOf));
            default:
                near.Refuse(key);
                return new SessionAnswer(read.Kind, Session: null);
        }
    }

    private SessionAnswer Remember(SessionId session, NearSession found)
    {
        near.Put(session, found);
        return new SessionAnswer(SessionReadKind.Found, found);
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

    private readonly record struct SessionAnswer(SessionReadKind Kind, NearSession? Session);
}
