using System.Collections.Frozen;
using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// Key ids that clients name and this node does not know: another node may have created the key a moment ago, so the vault is read now, at most once per <see cref="Gap"/>.
/// </summary>
internal sealed class UnknownKeys(VaultRing ring, ILogger<UnknownKeys> logger)
{
    public static readonly TimeSpan Gap = TimeSpan.FromSeconds(1);

    private readonly MissingKeys<Guid> _missing = new();
    private volatile Known _known = new([], FrozenSet<Guid>.Empty);

    /// <summary>Whether reading the vault could bring this key.</summary>
    public bool IsWorthReading(Guid keyId) => !IsKnown(keyId) && !_missing.Contains(keyId);

    /// <summary>Reads the vault, waiting for a turn of at most <see cref="Gap"/> that all share. Returns at once when the vault is away.</summary>
    public async Task CatchUpAsync(IReadOnlyCollection<Guid> keyIds, CancellationToken cancellationToken)
    {
        if (!await ring.CatchUpAsync(Gap, cancellationToken))
        {
            return;
        }

        var missing = keyIds.Where(id => !IsKnown(id)).ToArray();
        foreach (var id in missing)
        {
            _missing.Add(id);
        }

        logger.UnknownKeysMet(keyIds.Count, missing.Length);
    }

    /// <summary>The same for callers that cannot wait asynchronously: blocks only while a read is under way, and not at all when the last one failed.</summary>
    /// <returns>Whether the key is known now.</returns>
    public bool CatchUp(Guid keyId)
    {
        if (!IsWorthReading(keyId) || ring.IsAway)
        {
            return IsKnown(keyId);
        }

        try
        {
            Blocking.Wait(ring.RefreshIfOlderThanAsync(Gap, CancellationToken.None), VaultRing.Limit);
        }
        catch (KeyVaultException)
        {
            // No thread was free to bring the answer; the key counts as unknown this time.
        }

        return IsKnown(keyId);
    }

    private bool IsKnown(Guid keyId)
    {
        var elements = ring.Elements;
        var known = _known;
        if (!ReferenceEquals(known.Elements, elements))
        {
            var ids = elements.Select(KeyElements.TryParse).Select(element => element is null ? null : KeyElements.KeyIdOf(element)).OfType<Guid>();
            _known = known = new Known(elements, ids.ToFrozenSet());
        }

        return known.Ids.Contains(keyId);
    }

    private sealed record Known(IReadOnlyList<string> Elements, FrozenSet<Guid> Ids);
}
