using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// Tells what the store has lost, with what the store can say for itself: once per session and state, however many of the visitor's requests meet it.
/// </summary>
internal sealed class SessionLosses(ISessionStore store, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLosses> logger)
{
    private const string NoEvidence = "the store says nothing more";
    private static readonly TimeSpan EvidenceAge = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private readonly ToldSessions _told = new();
    private Task<string>? _evidence;
    private long _evidenceAt;

    /// <summary>Whether this was told already.</summary>
    public bool WasTold(SessionId session, SessionVersion seen) => _told.Contains(session, seen);

    /// <param name="ticket">What the visitor has seen.</param>
    /// <param name="loss">What became of it; one of the losses.</param>
    /// <param name="stored">What the store has instead; null: nothing.</param>
    /// <param name="asked">Who does not remember it either.</param>
    public async ValueTask TellAsync(Ticket ticket, SessionLoadKind loss, SessionSnapshot? stored, AskedNodes asked)
    {
        if (!_told.Add(ticket.Session, ticket.Version))
        {
            return;
        }

        var (session, seen) = (ticket.Session.ToFingerprint(), ticket.Version.ToString());
        switch (loss)
        {
            case SessionLoadKind.Lost:
                metrics.SessionLost("lost");
                logger.SessionLost(session, ticket.IdleUntil, asked.ToString(), await EvidenceAsync());
                break;
            case SessionLoadKind.Behind:
                metrics.SessionLost("behind");
                logger.SessionBehind(session, stored!.Version.ToString(), seen, asked.ToString(), await EvidenceAsync());
                break;
            case SessionLoadKind.Diverged:
                metrics.SessionLost("diverged");
                logger.SessionDiverged(session, stored!.Version.ToString(), seen, await EvidenceAsync());
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>The same for a save that met another history than the one which its request began with.</summary>
    public async ValueTask TellAsync(SessionId session, SessionVersion seen, SessionVersion stored)
    {
        if (_told.Add(session, seen))
        {
            metrics.SessionLost("diverged");
            logger.SessionDiverged(session.ToFingerprint(), stored.ToString(), seen.ToString(), await EvidenceAsync());
        }
    }

    /// <summary>What the store says for itself, asked at most every ten seconds, or anew: after a sign that it is another one than before.</summary>
    public Task<string> EvidenceAsync(bool anew = false)
    {
        lock (_gate)
        {
            if (anew || _evidence is null || time.GetElapsedTime(_evidenceAt) >= EvidenceAge)
            {
                (_evidence, _evidenceAt) = (AskAsync(), time.GetTimestamp());
            }

            return _evidence;
        }
    }

    private async Task<string> AskAsync()
    {
        try
        {
            return await store.TestifyAsync(CancellationToken.None) ?? NoEvidence;
        }
        catch (SessionStoreException e)
        {
            return e.Message;
        }
    }
}
