using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>
/// What one request changes, kept apart from the snapshot so that it can be applied again to a newer one: parallel requests merge key by key.
/// Not safe for concurrent use; a request owns it.
/// </summary>
internal sealed class SessionDelta
{
    private static readonly Dictionary<string, Change> None = [];

    // Most requests change nothing.
    private Dictionary<string, Change> _changes = None;

    /// <summary>Whether everything there was is removed before the changes apply.</summary>
    public bool Clears { get; private set; }

    /// <summary>Whether the save raises the session's generation.</summary>
    public bool RaisesGeneration { get; set; }

    /// <summary>Whether what the request began with is not in the store yet: it is saved even if nothing is changed.</summary>
    public bool Adopts { get; set; }

    /// <summary>Whether that is all there is to save.</summary>
    public bool OnlyAdopts => Adopts && !Clears && !RaisesGeneration && _changes.Count == 0;

    /// <summary>Whether the save met a store that had lost what the request began with, and other writes in its place.</summary>
    public bool MetLoss { get; set; }

    /// <summary>
    /// The least generation that the save leaves behind: the one that the visitor's ticket proves, when the store has lost the write that raised it. Else tickets from before the sign-in would count again.
    /// </summary>
    public int GenerationFloor { get; set; }

    /// <summary>The write of this delta that was tried last and failed; null when none was, or the outcome is known.</summary>
    public SessionTry? Tried { get; set; }

    /// <summary>Whether others were first when this delta was to be written, so that the store is known to answer.</summary>
    public bool WasBeaten { get; set; }

    /// <summary>Whether nobody can tell any more if an update of this delta has arrived.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Whether a save of this delta has failed that may have arrived all the same.</summary>
    public bool IsUndecided { get; set; }

    /// <summary>Whether there is nothing to save.</summary>
    public bool IsEmpty => !Adopts && !Clears && !RaisesGeneration && _changes.Count == 0;

    /// <summary>Whether applying it twice differs from applying it once.</summary>
    public bool HasUpdates
    {
        get
        {
            foreach (var change in _changes.Values)
            {
                if (change.Fold is not null)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>The keys that this delta sets, removes or updates, with the value as the request sees it; null for removed.</summary>
    public IEnumerable<KeyValuePair<string, byte[]?>> Changes
    {
        get
        {
            foreach (var (key, change) in _changes)
            {
                yield return new(key, change.Value);
            }
        }
    }

    private Dictionary<string, Change> ChangesToWrite => ReferenceEquals(_changes, None) ? _changes = new(StringComparer.Ordinal) : _changes;

    public void Set(string key, byte[] value) => ChangesToWrite[key] = new Change(value, Fold: null);

    public void Remove(string key) => ChangesToWrite[key] = new Change(Value: null, Fold: null);

    public void Clear()
    {
        _changes = None;
        Clears = true;
    }

    /// <summary>Changes a value by a function that is run again on a newer value when another request was first.</summary>
    /// <param name="key">Which value.</param>
    /// <param name="current">The value as the request sees it now; null for none.</param>
    /// <param name="fold">From the old value (null for none) to the new one (null to remove). Pure: it may run several times.</param>
    /// <returns>The new value as the request sees it.</returns>
    public byte[]? Update(string key, byte[]? current, Func<byte[]?, byte[]?> fold)
    {
        var value = fold(current);
        if (!_changes.TryGetValue(key, out var change))
        {
            ChangesToWrite[key] = Clears ? new Change(value, Fold: null) : new Change(value, fold);
        }
        else if (change.Fold is { } earlier)
        {
            ChangesToWrite[key] = new Change(value, old => fold(earlier(old)));
        }
        else
        {
            ChangesToWrite[key] = new Change(value, Fold: null);
        }

        return value;
    }

    /// <summary>Whether this delta decides the key; then the value as the request sees it, null for removed.</summary>
    public bool TryGet(string key, out byte[]? value)
    {
        if (_changes.TryGetValue(key, out var change))
        {
            value = change.Value;
            return true;
        }

        value = null;
        return Clears;
    }

    /// <summary>The items after this delta. The given ones stay as they are.</summary>
    public Dictionary<string, byte[]> ApplyTo(IReadOnlyDictionary<string, byte[]> items)
    {
        var result = Clears
            ? new Dictionary<string, byte[]>(_changes.Count, StringComparer.Ordinal)
            : new Dictionary<string, byte[]>(items, StringComparer.Ordinal);
        foreach (var (key, change) in _changes)
        {
            var value = change.Fold is { } fold ? fold(result.GetValueOrDefault(key)) : change.Value;
            if (value is null)
            {
                result.Remove(key);
            }
            else
            {
                result[key] = value;
            }
        }

        return result;
    }

    /// <summary>
    /// Per key what it becomes, null for removed: updates with the value that they give on what the journal has; else with the one that they gave when the write was tried; else as the request sees it.
    /// </summary>
    public Dictionary<string, byte[]?> ToValues(SessionJournal journal) => _changes.ToDictionary(
        change => change.Key,
        change => change.Value.Fold is not { } fold ? change.Value.Value
            : journal.TryGet(change.Key, out var known) ? fold(known)
            : Tried is { } tried ? tried.Items.GetValueOrDefault(change.Key)
            : change.Value.Value,
        StringComparer.Ordinal);

    private readonly record struct Change(byte[]? Value, Func<byte[]?, byte[]?>? Fold);
}

/// <summary>A write that failed.</summary>
/// <param name="On">What it was applied to.</param>
/// <param name="Next">What would have come of it: by its stamp the store recognises it if it has arrived.</param>
/// <param name="Items">Its items.</param>
internal sealed record SessionTry(SessionSnapshot On, SessionVersion Next, IReadOnlyDictionary<string, byte[]> Items);
