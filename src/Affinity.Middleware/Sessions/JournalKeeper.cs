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
    public SessionJournal Complete(SessionId session, int storedGeneration, SessionJournal journal) =>
        Complete(_kept.GetValueOrDefault(session), JournalLineage.Of(storedGeneration, journal), journal) ?? journal;

    /// <summary>Adds an entry to the completed journal and keeps that. Null when there are too many entries.</summary>
    public SessionJournal? Append(SessionId session, int storedGeneration, SessionJournal journal, JournalEntry entry)
    {
        lock (_gate)
        {
            var former = _kept.GetValueOrDefault(session);
            var lineage = JournalLineage.Of(storedGeneration, journal);
            var appended = Complete(former, lineage, journal)?.With(entry);
            if (appended is not null)
            {
                var seen = former is { IsTold: false } && former.Lineage == lineage ? new HashSet<ulong>(former.Seen) : [];
                seen.UnionWith(journal.Entries.Select(known => known.Tag));
                seen.UnionWith(appended.Entries.Select(known => known.Tag));
                Put(new Kept(session, JournalLineage.Of(storedGeneration, appended), appended, seen, former is null ? null : former with { Before = null }));
            }

            return appended;
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
            else if (kept.Journal.Entries.All(entry => tags.Contains(entry.Tag)))
            {
                _kept[session] = kept with { Journal = SessionJournal.Empty, IsTold = true, Before = null };
            }
        }
    }

    private static SessionJournal? Complete(Kept? kept, JournalLineage lineage, SessionJournal journal)
    {
        if (kept is null || kept.Lineage != lineage)
        {
            return journal;
        }

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
    }
}
