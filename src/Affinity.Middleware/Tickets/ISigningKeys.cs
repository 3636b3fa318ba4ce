using System.Diagnostics.CodeAnalysis;

namespace Affinity.Tickets;

/// <summary>The keys that sign and verify tickets. All members may be called concurrently.</summary>
internal interface ISigningKeys
{
    /// <summary>The key that signs now; null while none is known, which only a vault that was never reached can cause.</summary>
    SigningKey? Current { get; }

    /// <summary>Finds a key that still verifies among those that this node knows; answers from memory, at once.</summary>
    bool TryFind(SigningKeyId id, [NotNullWhen(true)] out SigningKey? key);

    /// <summary>
    /// Asks whoever shares the keys about an id that <see cref="TryFind"/> does not know. Callers share one question, and questions are rate limited, so
    /// invented ids cost the vault next to nothing.
    /// </summary>
    ValueTask<KeyLookup> LookUpAsync(SigningKeyId id, CancellationToken cancellationToken);
}

/// <summary>What came of asking for a key.</summary>
internal enum KeyLookupKind
{
    /// <summary>Could not ask: a fault of ours that says nothing about the ticket.</summary>
    Unreachable,

    /// <summary>There is no such key, for sure.</summary>
    Unknown,

    /// <summary>Here it is.</summary>
    Found,
}

/// <summary>The answer to <see cref="ISigningKeys.LookUpAsync"/>.</summary>
/// <param name="Kind">What came of it.</param>
/// <param name="Key">The key when it was found, else null.</param>
internal readonly record struct KeyLookup(KeyLookupKind Kind, SigningKey? Key)
{
    public static KeyLookup Unreachable => default;

    public static KeyLookup Unknown => new(KeyLookupKind.Unknown, Key: null);

    public static KeyLookup Found(SigningKey key) => new(KeyLookupKind.Found, key);
}
