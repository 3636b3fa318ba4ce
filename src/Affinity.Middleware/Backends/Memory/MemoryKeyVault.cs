using Affinity.Tickets;

namespace Affinity.Backends.Memory;

/// <summary>Keys that end with the process: tickets do not outlive a restart, and no other instance can verify them.</summary>
internal sealed class MemoryKeyVault : IKeyVault
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<string>> _rings = new(StringComparer.Ordinal);

    public ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidRing(ring);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            IReadOnlyList<string> elements = _rings.TryGetValue(ring, out var held) ? [.. held] : [];
            return ValueTask.FromResult(elements);
        }
    }

    public ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidAppend(ring, element, seen);
        cancellationToken.ThrowIfCancellationRequested();
        lock (_gate)
        {
            if (!_rings.TryGetValue(ring, out var held))
            {
                _rings[ring] = held = [];
            }

            if (held.Count != seen)
            {
                return ValueTask.FromResult(false);
            }

            held.Add(element);
            return ValueTask.FromResult(true);
        }
    }
}
