using System.Collections.Concurrent;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>From which sign-in on a journal's holder is who they are: journals of different ones are never mixed.</summary>
/// <param name="Generation">The generation in the store that the ticket proves.</param>
/// <param name="Raise">The tag of the last sign-in in the journal; 0 without one.</param>
internal readonly record struct JournalLineage(int Generation, ulong Raise)
{
    public static JournalLineage Of(int storedGeneration, SessionJournal journal) => new(storedGeneration, journal.LastRaise);
}

/// <summary>
/// What this node has put into tickets. Of two parallel responses the browser keeps one ticket: what the other one carried would be lost with it, so each ticket carries what this node knows of both;
/// and what the store has been told is not told again out of an older ticket. Bounded; the oldest go first. Safe for concurrent use.
/// </summary>
internal sealed class JournalKeeper
{
    private const int Most = 10_000;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<SessionId, Kept> _kept = new();
    private readonly Queue<Kept> _byAge = new();

    /// <summary>The journal with what is known beside it of the same lineage, in one order for all, and without what the store has been told.</summary>
    /// <param name="session">Whose it is.</param>
    /// <param name="storedGeneration">See <see cref="JournalLineage"/>.</param>
    /// <param name="version">The version that the visitor's ticket proves: what was kept before the visitor came to it by another node is left over and not shown over it.</param>
    /// <param name="journal">What the ticket carries.</param>
    public SessionJournal Complete(SessionId session, int storedGeneration, SessionVersion version, SessionJournal journal) =>
        Complete(_kept.GetValueOrDefault(session), JournalLineage.Of(storedGeneration, journal), version, journal) ?? journal;

    /// <summary>The same with what is left over, oldest first. Most of it will have been told to the store by another node, which has got it in a ticket: that the store knows by the tags.</summary>
    public SessionJournal Untold(SessionId session, int storedGeneration, SessionJournal journal)
    {
        var kept = _kept.GetValueOrDefault(session);
        if (kept is null || kept.Lineage != JournalLineage.Of(storedGeneration, journal))
        {
            return journal;
        }

        var complete = Complete(kept, journal);
        return (complete is null ? null : kept.LeftOver.Then(complete)) ?? journal;
    }

    /// <summary>Adds an entry to the completed journal and keeps that. Null when there are too many entries.</summary>
    /// <param name="session">Whose it is.</param>
    /// <param name="storedGeneration">See <see cref="JournalLineage"/>.</param>
    /// <param name="version">The version that the visitor's ticket proves.</param>
    /// <param name="journal">What the ticket carries.</param>
    /// <param name="make">The entry on top of the completed journal. Called without a lock, and again when another request was first.</param>
    public SessionJournal? Append(SessionId session, int storedGeneration, SessionVersion version, SessionJournal journal, Func<SessionJournal, JournalEntry> make)
    {
        var lineage = JournalLineage.Of(storedGeneration, journal);
        while (true)
        {
            var former = _kept.GetValueOrDefault(session);
            if (Complete(former, lineage, version, journal) is not { } complete || complete.With(make(complete)) is not { } appended)
            {
                return null;
            }

            lock (_gate)
            {
                if (ReferenceEquals(_kept.GetValueOrDefault(session), former))
                {
                    Put(After(former, session, storedGeneration, version, journal, appended));
                    return appended;
                }
            }
        }
    }

    /// <summary>The last entry reached nobody: forgets it, unless others have built on it meanwhile.</summary>
    public void Retract(SessionId session, SessionJournal appended)
    {
        lock (_gate)
        {
            if (!_kept.TryGetValue(session, out var kept) || !ReferenceEquals(kept.Journal, appended))
            {
                return;
            }

            if (kept.Before is null)
            {
                _kept.TryRemove(session, out _);
            }
            else
            {
                _kept[session] = kept.Before;
            }
        }
    }

    /// <summary>All of it is in the store, whichever node has put it into a ticket.</summary>
    public void Told(SessionId session, int storedGeneration, SessionJournal replayed)
    {
        lock (_gate)
        {
            var tags = replayed.Entries.Select(entry => entry.Tag).ToHashSet();
            if (!_kept.TryGetValue(session, out var kept))
            {
                Put(new Kept(session, JournalLineage.Of(storedGeneration, replayed), SessionJournal.Empty, tags, Before: null) { IsTold = true });
            }
            else if (kept.Journal.Entries.Concat(kept.LeftOver.Entries).All(entry => tags.Contains(entry.Tag)))
            {
                _kept[session] = kept with { Journal = SessionJournal.Empty, LeftOver = SessionJournal.Empty, IsTold = true, Before = null };
            }
        }
    }

    private static Kept After(Kept? former, SessionId session, int storedGeneration, SessionVersion version, SessionJournal journal, SessionJournal appended)
    {
        var isSame = former?.Lineage == JournalLineage.Of(storedGeneration, journal);
        var seen = isSame && former is { IsTold: false } ? new HashSet<ulong>(former.Seen) : [];
        seen.UnionWith(journal.Entries.Select(known => known.Tag));
        seen.UnionWith(appended.Entries.Select(known => known.Tag));
        var leftOver = !isSame ? SessionJournal.Empty : former!.IsLeftOver(version, journal) ? former.LeftOver.Then(former.Journal) ?? former.Journal : former.LeftOver;
        return new Kept(session, JournalLineage.Of(storedGeneration, appended), appended, seen, former is null ? null : former with { Before = null }) { LeftOver = leftOver };
    }

    private static SessionJournal? Complete(Kept? kept, JournalLineage lineage, SessionVersion version, SessionJournal journal) =>
        kept is null || kept.Lineage != lineage || kept.IsLeftOver(version, journal) ? journal : Complete(kept, journal);

    private static SessionJournal? Complete(Kept kept, SessionJournal journal)
    {
        // What was joined with a later entry must not come back behind it.
        var complete = kept.Journal;
        foreach (var entry in journal.Entries)
        {
            if (!kept.Seen.Contains(entry.Tag))
            {
                complete = complete?.With(entry);
            }
        }

        return complete;
    }

    private void Put(Kept kept)
    {
        _kept[kept.Session] = kept;
        _byAge.Enqueue(kept);
        while (_byAge.Count > Most)
        {
            var oldest = _byAge.Dequeue();
            if (_kept.TryGetValue(oldest.Session, out var now) && ReferenceEquals(now.Seen, oldest.Seen))
            {
                _kept.TryRemove(oldest.Session, out _);
            }
        }
    }

    private sealed record Kept(SessionId Session, JournalLineage Lineage, SessionJournal Journal, HashSet<ulong> Seen, Kept? Before)
    {
        public bool IsTold { get; init; }

        /// <summary>What was in tickets before the visitor came to a later version by another node.</summary>
        public SessionJournal LeftOver { get; init; } = SessionJournal.Empty;

        /// <summary>Whether the journal is from before a ticket that proves this version and carries that journal.</summary>
        public bool IsLeftOver(SessionVersion version, SessionJournal journal) =>
            !Journal.IsEmpty && Journal.Entries.All(entry => entry.Expected.Counter < version.Counter) && !journal.Entries.Any(entry => Seen.Contains(entry.Tag));
    }
}
