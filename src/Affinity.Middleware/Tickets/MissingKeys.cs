using System.Collections.Concurrent;

namespace Affinity.Tickets;

/// <summary>
/// Key ids that were not in the vault when they were met. Remembered, so that an old cookie does not slow its owner down with every request; a key that turns up later is found among
/// the known ones, which are looked at first. Safe for concurrent use.
/// </summary>
internal sealed class MissingKeys<T>
    where T : struct
{
    /// <summary>Invented ids cost a client a request each, so this bounds memory only; past it the memory starts anew.</summary>
    private const int Max = 1024;

    private readonly ConcurrentDictionary<T, bool> _ids = new();

    public bool Contains(T id) => _ids.ContainsKey(id);

    public void Add(T id)
    {
        if (_ids.Count >= Max)
        {
            _ids.Clear();
        }

        _ids[id] = true;
    }
}
