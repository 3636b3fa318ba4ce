using System.Text;

namespace Affinity.Backends;

/// <summary>The limits that <see cref="Tickets.IKeyVault"/> states, checked the same way by every backend.</summary>
internal static class KeyVaultArguments
{
    private const int LongestRing = 100;
    private const int LargestElement = 64 * 1024;

    public static void ThrowIfInvalidRing(string ring)
    {
        ArgumentException.ThrowIfNullOrEmpty(ring);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ring.Length, LongestRing, nameof(ring));
    }

    public static void ThrowIfInvalidAppend(string ring, string element, int seen)
    {
        ThrowIfInvalidRing(ring);
        ArgumentException.ThrowIfNullOrEmpty(element);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Encoding.UTF8.GetByteCount(element), LargestElement, nameof(element));
        ArgumentOutOfRangeException.ThrowIfNegative(seen);
    }
}
