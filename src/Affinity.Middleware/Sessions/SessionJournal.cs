using System.Security.Cryptography;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>One save that the store could not be told of.</summary>
/// <param name="Expected">A version of the session from before this save: what the store has up to it does not hold this save. None for a session that begins with it.</param>
/// <param name="Tag">The stamp of the write, tried or not; by it the store recognises a write that has arrived. Never 0.</param>
/// <param name="Clears">Whether everything there was is removed before the changes apply.</param>
/// <param name="RaisesGeneration">Whether the visitor signed in.</param>
/// <param name="Changes">Per key the new value; null for removed. Never changed.</param>
internal sealed record JournalEntry(SessionVersion Expected, ulong Tag, bool Clears, bool RaisesGeneration, IReadOnlyDictionary<string, byte[]?> Changes)
{
    /// <summary>How many tags of joined entries are kept.</summary>
    public const int MaxJoined = SessionWrite.RememberedWrites / 2;

    /// <summary>The tags of earlier saves that were joined with this one, oldest first: the store is told them too, so that whoever still carries one of those saves by itself finds that it is known.</summary>
    public IReadOnlyList<ulong> Joined { get; init; } = [];

    /// <summary>A tag for a write that was not tried.</summary>
    public static ulong NewTag() => SessionVersion.None.Next().Stamp;

    /// <summary>The same changes, as a save makes them.</summary>
    public SessionDelta ToDelta()
    {
        var delta = new SessionDelta { RaisesGeneration = RaisesGeneration };
        if (Clears)
        {
            delta.Clear();
        }

        foreach (var (key, value) in Changes)
        {
            if (value is null)
            {
                delta.Remove(key);
            }
            else
            {
                delta.Set(key, value);
            }
        }

        return delta;
    }
}

/// <summary>
/// The outage journal: the saves of one session, in their order, that the store could not be told of. It rides in the visitor's ticket until the store is back. Immutable.
/// </summary>
internal sealed class SessionJournal
{
    /// <summary>
    /// Each entry is a write of its own when it is replayed, and the store recognises the last <see cref="SessionWrite.RememberedWrites"/> writes: half of those, so that others may write in between.
    /// </summary>
    public const int MaxEntries = SessionWrite.RememberedWrites / 2;

    public static readonly SessionJournal Empty = new([]);

    private readonly JournalEntry[] _entries;

    public SessionJournal(IEnumerable<JournalEntry> entries) => _entries = [.. entries];

    public IReadOnlyList<JournalEntry> Entries => _entries;

    public bool IsEmpty => _entries.Length == 0;

    /// <summary>How often the visitor signed in.</summary>
    public int Raises => _entries.Count(entry => entry.RaisesGeneration);

    /// <summary>The tag of the last sign-in; 0 without one.</summary>
    public ulong LastRaise => Array.FindLast(_entries, entry => entry.RaisesGeneration)?.Tag ?? 0;

    /// <summary>
    /// Whether it holds nothing but saves that the store has acknowledged (<see cref="SessionDurability.Replicated"/>): its ticket is of the version that the last of them made.
    /// </summary>
    public bool IsRedoOf(SessionVersion version) => !IsEmpty && !version.IsNone && _entries[^1].Tag == version.Stamp;

    /// <summary>Whether nothing of what is in the store is left after it.</summary>
    public bool Clears => Array.Exists(_entries, entry => entry.Clears);

    /// <summary>
    /// With one more entry. What that decides is taken out of the earlier ones: whether they have arrived or not, it comes last. Their tags stay, so that an older ticket which is replayed late makes
    /// no change again. Null when there are too many entries and no two can be joined.
    /// </summary>
    public SessionJournal? With(JournalEntry entry)
    {
        List<JournalEntry> entries = [.. _entries.Select(earlier => Without(earlier, entry)), entry];
        return entries.Count <= MaxEntries || TryJoinTwo(entries) ? new SessionJournal(entries) : null;
    }

    /// <summary>Whether the journal decides the key; then its value, null for removed.</summary>
    public bool TryGet(string key, out byte[]? value)
    {
        for (var i = _entries.Length - 1; i >= 0; i--)
        {
            if (_entries[i].Changes.TryGetValue(key, out value))
            {
                return true;
            }

            if (_entries[i].Clears)
            {
                return true;
            }
        }

        value = null;
        return false;
    }

    /// <summary>The items of the session after it. What the session is known to hold already is not done again: it may have been changed since.</summary>
    public IReadOnlyDictionary<string, byte[]> ApplyTo(SessionSnapshot session)
    {
        var items = session.Items;
        foreach (var entry in _entries)
        {
            if (!session.Writes.Any(write => write.Stamp == entry.Tag))
            {
                items = entry.ToDelta().ApplyTo(items);
            }
        }

        return items;
    }

    /// <summary>This one, and the other one behind it, without what both have. Null when there are too many entries.</summary>
    public SessionJournal? Then(SessionJournal later)
    {
        var journal = this;
        foreach (var entry in later.Entries)
        {
            if (!_entries.Any(known => known.Tag == entry.Tag))
            {
                journal = journal?.With(entry);
            }
        }

        return journal;
    }

    private static JournalEntry Without(JournalEntry earlier, JournalEntry later)
    {
        if (later.Clears)
        {
            return earlier with { Clears = false, Changes = new Dictionary<string, byte[]?>(StringComparer.Ordinal) };
        }

        return earlier.Changes.Keys.Any(later.Changes.ContainsKey)
            ? earlier with { Changes = earlier.Changes.Where(change => !later.Changes.ContainsKey(change.Key)).ToDictionary(StringComparer.Ordinal) }
            : earlier;
    }

    /// <summary>Joins the two oldest neighbours that may be, under the tag of the later one. The first entry may have arrived, so it keeps its own, and so does a sign-in.</summary>
    private static bool TryJoinTwo(List<JournalEntry> entries)
    {
        for (var i = 1; i < entries.Count - 1; i++)
        {
            var (one, other) = (entries[i], entries[i + 1]);
            if (!one.RaisesGeneration && !other.RaisesGeneration)
            {
                // No key is in both: what the later one decides was taken out of the earlier one.
                entries[i] = other with
                {
                    Expected = one.Expected,
                    Clears = one.Clears || other.Clears,
                    Changes = one.Changes.Concat(other.Changes).ToDictionary(StringComparer.Ordinal),
                    Joined = [.. ((IEnumerable<ulong>)[.. one.Joined, one.Tag, .. other.Joined]).TakeLast(JournalEntry.MaxJoined)],
                };
                entries.RemoveAt(i + 1);
                return true;
            }
        }

        return false;
    }
}
