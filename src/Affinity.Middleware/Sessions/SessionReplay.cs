using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>What became of a journal.</summary>
/// <param name="Kind">What its ticket led to; Found when the store holds what the journal held, Lost when something of the session is lost.</param>
/// <param name="Snapshot">The session with all of it, for Found, Behind and Lost; else null.</param>
internal readonly record struct ReplayResult(SessionLoadKind Kind, SessionSnapshot? Snapshot);

/// <summary>
/// Tells the store what a journal holds, entry by entry, before the app sees the session: each is given with the tag of its first try, so it takes effect once, however many nodes and requests
/// replay it. Parallel requests of one node share one replay.
/// </summary>
internal sealed class SessionReplay(SessionLoader loader, SessionSaveLoop loop, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionReplay> logger)
{
    private readonly Dictionary<(SessionId Session, ulong LastTag), Task<ReplayResult>> _underWay = [];

    /// <param name="ticket">The visitor's, whose generation counts the journal's sign-ins.</param>
    /// <param name="journal">What it carries and what this node knows beside it; not empty.</param>
    /// <exception cref="SessionStoreException">The store is still away, or what it holds cannot be read.</exception>
    public async Task<ReplayResult> ReplayAsync(Ticket ticket, SessionJournal journal)
    {
        var last = (ticket.Session, journal.Entries[^1].Tag);
        Task<ReplayResult>? replaying;
        lock (_underWay)
        {
            if (!_underWay.TryGetValue(last, out replaying))
            {
                replaying = ReplayOnceAsync(ticket, journal);
                if (!replaying.IsCompleted)
                {
                    _underWay[last] = replaying;
                    _ = ForgetAsync(last, replaying);
                }
            }
        }

        return await replaying;
    }

    private async Task ForgetAsync((SessionId Session, ulong LastTag) last, Task replaying)
    {
        await replaying.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_underWay)
        {
            _underWay.Remove(last);
        }
    }

    private async Task<ReplayResult> ReplayOnceAsync(Ticket ticket, SessionJournal journal)
    {
        var proven = ticket.Generation - journal.Raises;
        var (isRedo, expected) = (journal.IsRedoOf(ticket.Version), journal.Entries[0].Expected);

        if (!isRedo)
        {
            // After an outage it may be another server that has lost writes: what is remembered is compared with it, and given back, before anything is told on top.
            near.Doubt(SessionKey.Of(ticket.Session));
        }

        // What is lost of what can be done again is no loss, so it is not asked for.
        var found = isRedo ? await loader.LoadAsync(ticket with { Version = expected, Journal = null }, CancellationToken.None) : await FindAsync(ticket, journal, proven);
        var (start, kind) = (found.Snapshot, found.Kind);
        if (isRedo && start is not null && SessionHistory.Contains(start.Version, start.Writes, ticket.Version))
        {
            return new(kind, start);
        }

        kind = isRedo && expected.IsNone && kind == SessionLoadKind.Lost ? SessionLoadKind.Found : kind;
        if (kind is SessionLoadKind.Ended or SessionLoadKind.Absent or SessionLoadKind.Superseded or SessionLoadKind.JustSuperseded)
        {
            return Dropped(ticket, journal, kind);
        }

        // What the store has lost is begun anew with what the journal holds, and not below the generation that the visitor proves.
        start ??= SessionSnapshot.Empty(time.GetUtcNow(), options.AbsoluteTimeout, proven);
        var walk = new JournalWalk(start, proven, ticket.Generation) { Floor = kind == SessionLoadKind.Behind ? proven : 0 };
        foreach (var entry in journal.Entries)
        {
            switch (await TryAsync(ticket.Session, walk, entry))
            {
                case JournalStep.Ended:
                    return Dropped(ticket, journal, SessionLoadKind.Ended);
                case JournalStep.Superseded:
                    // Perhaps a moment ago, in a parallel request of the same browser; when it was is seen by the next request.
                    return Dropped(ticket, journal, SessionLoadKind.JustSuperseded);
            }
        }

        metrics.JournalReplayed(walk.IsLost || kind == SessionLoadKind.Lost ? "lost" : "replayed");
        return new(walk.IsLost ? SessionLoadKind.Lost : kind, walk.Current);
    }

    private async ValueTask<SessionLoadResult> FindAsync(Ticket ticket, SessionJournal journal, int proven)
    {
        if (ticket.Version.IsNone && time.GetUtcNow() < ticket.IdleUntil)
        {
            // It began while the store was away.
            return new(SessionLoadKind.Found, Snapshot: null);
        }

        var result = await loader.LoadAsync(ticket with { Generation = proven, Journal = null }, CancellationToken.None);
        return journal.Raises > 0 && result.Kind is SessionLoadKind.Superseded or SessionLoadKind.JustSuperseded
            // Either somebody else signed in, or this journal's own sign-in has arrived: its tag will tell.
            ? await loader.LoadAsync(ticket with { Journal = null }, CancellationToken.None)
            : result;
    }

    private async ValueTask<JournalStep> TryAsync(SessionId session, JournalWalk walk, JournalEntry entry)
    {
        try
        {
            var step = await loop.ReplayAsync(session, walk, entry);
            if (step == JournalStep.Stale)
            {
                logger.SessionJournalStale(session.ToFingerprint(), SessionWrite.RememberedWrites);
            }

            return step;
        }
        catch (SessionTooLargeException e)
        {
            logger.SessionTooLarge(session.ToFingerprint(), e.Size, e.Measure, e.Limit);
            walk.IsLost = true;
            return JournalStep.Done;
        }
    }

    private ReplayResult Dropped(Ticket ticket, SessionJournal journal, SessionLoadKind kind)
    {
        metrics.JournalReplayed(kind switch
        {
            SessionLoadKind.Ended => "ended",
            SessionLoadKind.Absent => "expired",
            _ => "superseded",
        });
        if (logger.IsEnabled(LogLevel.Information))
        {
            logger.SessionJournalDropped(ticket.Session.ToFingerprint(), journal.Entries.Count, kind.ToString());
        }

        return new(kind, Snapshot: null);
    }
}
