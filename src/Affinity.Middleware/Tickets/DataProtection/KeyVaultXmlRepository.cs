using System.Collections.Concurrent;
using System.Xml.Linq;
using Affinity.Diagnostics;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// The framework's key storage over a ring of the key vault, in the layout of its Redis package. Reading answers from memory, as the ring is refreshed in the background;
/// only a ring that has never been read is read on the caller's thread, bounded. Nothing here ever falls back to a key that other nodes do not have.
/// </summary>
internal sealed class KeyVaultXmlRepository(VaultRing ring, ILogger<KeyVaultXmlRepository> logger) : IXmlRepository
{
    private static readonly TimeSpan StoreLimit = TimeSpan.FromSeconds(6);

    private readonly ConcurrentDictionary<string, bool> _skipped = new(StringComparer.Ordinal);
    private readonly AsyncLocal<Func<bool>?> _onlyWhile = new();

    /// <inheritdoc/>
    /// <exception cref="KeyVaultException">The vault has never answered.</exception>
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        if (!ring.HasBeenRead && !Blocking.Wait(ring.RefreshIfOlderThanAsync(VaultRing.Limit, CancellationToken.None), VaultRing.Limit))
        {
            throw new KeyVaultException(
                "The Data Protection keys have not been read yet, because the key vault does not answer. Check that the backend (ConnectionStrings:redis, or Affinity:KeyDirectory) is up and reachable; the node tries again by itself.");
        }

        var found = new List<XElement>();
        var ids = new HashSet<Guid>();
        var elements = ring.Elements;
        for (var i = 0; i < elements.Count; i++)
        {
            // The framework refuses a whole ring in which an id comes twice.
            if (KeyElements.TryParse(elements[i]) is not { } element)
            {
                Skip(elements[i], i, "not XML");
            }
            else if (KeyElements.KeyIdOf(element) is { } id && !ids.Add(id))
            {
                Skip(elements[i], i, "a key of this id stands before it");
            }
            else
            {
                found.Add(element);
            }
        }

        return found;
    }

    /// <inheritdoc/>
    /// <exception cref="KeyVaultException">The vault is away or too slow.</exception>
    public void StoreElement(XElement element, string friendlyName)
    {
        ArgumentNullException.ThrowIfNull(element);
        var wanted = _onlyWhile.Value;
        var added = Blocking.Wait(
            ring.AddAsync(element.ToString(SaveOptions.DisableFormatting), _ => wanted?.Invoke() ?? true, CancellationToken.None), StoreLimit);
        if (added)
        {
            logger.DataProtectionKeyAdded(friendlyName);
        }
        else
        {
            logger.DataProtectionKeyNotNeeded(friendlyName);
        }
    }

    /// <summary>Runs <paramref name="create"/>; what it stores goes in only while <paramref name="wanted"/> says so of the ring as it is then.</summary>
    public T StoreOnlyWhile<T>(Func<bool> wanted, Func<T> create)
    {
        _onlyWhile.Value = wanted;
        try
        {
            return create();
        }
        finally
        {
            _onlyWhile.Value = null;
        }
    }

    private void Skip(string element, int position, string reason)
    {
        if (_skipped.TryAdd(element, value: true))
        {
            logger.DataProtectionElementSkipped(position, ring.Name, reason);
        }
    }
}
