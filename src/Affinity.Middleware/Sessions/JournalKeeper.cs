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
/// What this node has put into tickets and nobody has replayed here yet. Of two parallel responses the browser keeps one ticket: what the other one carried would be lost with it, so each ticket
/// carries what this node knows of both. Bounded; the oldest go first. Safe for concurrent use.
/// </summary>
internal sealed class JournalKeeper
{
    private const int Most = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<SessionId, Kept> _kept = [];
    private readonly Queue<Kept> _byAge = new();
    private volatile bool _isEmpty = true;

    /// <summary>The journal with what is known beside it of the same lineage, in one order for all.</summary>
    public SessionJournal Complete(SessionId session, int storedGeneration, SessionJournal journal)
    {
        if (_isEmpty)
        {
            return journal;
        }

        lock (_gate)
        {
            return CompleteInLock(session, JournalLineage.Of(storedGeneration, journal), journal) ?? journal;
        }
    }

    /// <summary>Adds an entry to the completed journal and keeps that. Null when there are too many entries.</summary>
    public SessionJournal? Append(SessionId session, int storedGeneration, SessionJournal journal, JournalEntry entry)
    {
        lock (_gate)
        {
            var lineage = JournalLineage.Of(storedGeneration, journal);
            var appended = CompleteInLock(session, lineage, journal)?.With(entry);
            if (appended is not null)
            {
                Keep(session, JournalLineage.Of(storedGeneration, appended), appended, lineage, journal);
            }

            return appended;
        }
    }

    /// <summary>The entry reached nobody: forgets it, unless others have built on it meanwhile.</summary>
    public void Retract(SessionId session, SessionJournal appended)
    {
        lock (_gate)
        {
            if (_kept.TryGetValue(session, out var kept) && ReferenceEquals(kept.Journal, appended))
            {
                _kept[session] = kept.Before ?? kept;
                if (kept.Before is null)
                {
                    Remove(session);
                }
            }
        }
    }

    /// <summary>All of it is in the store.</summary>
    public void Forget(SessionId session, SessionJournal replayed)
    {
        if (_isEmpty)
        {
            return;
        }

        lock (_gate)
        {
            var tags = replayed.Entries.Select(entry => entry.Tag).ToHashSet();
            if (_kept.TryGetValue(session, out var kept) && kept.Journal.Entries.All(entry => tags.Contains(entry.Tag)))
            {
                Remove(session);
            }
        }
    }

    private SessionJournal? CompleteInLock(SessionId session, JournalLineage lineage, SessionJournal journal)
    {
        if (!_kept.TryGetValue(session, out var kept) || kept.Lineage != lineage)
        {
            return journal;
        }

        // What a later entry has decided is left out of an earlier one, or the earlier one altogether: it must not come back behind it.
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

    private void Keep(SessionId session, JournalLineage lineage, SessionJournal journal, JournalLineage from, SessionJournal before)
    {
        var former = _kept.GetValueOrDefault(session);
        var seen = former is not null && former.Lineage == from ? new HashSet<ulong>(former.Seen) : [];
        seen.UnionWith(before.Entries.Select(entry => entry.Tag));
        seen.UnionWith(journal.Entries.Select(entry => entry.Tag));
        var kept = new Kept(session, lineage, journal, seen, former is null ? null : former with { Before = null });
        _kept[session] = kept;
        _isEmpty = false;
        _byAge.Enqueue(kept);
        while (_byAge.Count > Most)
        {
            var oldest = _byAge.Dequeue();
            if (_kept.TryGetValue(oldest.Session, out var now) && ReferenceEquals(now, oldest))
            {
                Remove(oldest.Session);
            }
        }
    }

    private void Remove(SessionId session)
    {
        _kept.Remove(session);
        if (_kept.Count == 0)
        {
            _byAge.Clear();
            _isEmpty = true;
        }
    }

    private sealed record Kept(SessionId Session, JournalLineage Lineage, SessionJournal Journal, HashSet<ulong> Seen, Kept? Before);
}
