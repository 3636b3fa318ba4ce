using System.Security.Cryptography;

namespace Affinity.Tickets;

/// <summary>One HMAC-SHA256 key and its public name. Immutable; may be used concurrently.</summary>
internal sealed class SigningKey
{
    /// <summary>Bytes of a key.</summary>
    public const int Size = 32;

    /// <summary>Bytes of a signature.</summary>
    public const int MacSize = HMACSHA256.HashSizeInBytes;

    private readonly byte[] _bytes;

    /// <summary>A key of its own copy of 32 bytes.</summary>
    public SigningKey(SigningKeyId id, ReadOnlySpan<byte> bytes)
    {
        // HMAC itself takes any length, the empty key included.
        if (bytes.Length != Size)
        {
            throw new ArgumentException("A signing key has 32 bytes.", nameof(bytes));
        }

        Id = id;
        _bytes = bytes.ToArray();
    }

    public SigningKeyId Id { get; }

    /// <summary>Signs <paramref name="input"/> into the 32 bytes of <paramref name="mac"/>.</summary>
    public void Sign(ReadOnlySpan<byte> input, Span<byte> mac) => HMACSHA256.HashData(_bytes, input, mac);

    /// <summary>Whether <paramref name="mac"/> is the signature of <paramref name="input"/>, in a time that tells nothing about the right one.</summary>
    public bool Verify(ReadOnlySpan<byte> input, ReadOnlySpan<byte> mac)
    {
        Span<byte> expected = stackalloc byte[MacSize];
        Sign(input, expected);
        // FixedTimeEquals calls two empty spans equal, so the length is not left to it.
        return mac.Length == MacSize && CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    /// <summary>Writes the key itself, for the vault and nowhere else.</summary>
    public void ExportTo(Span<byte> destination) => _bytes.CopyTo(destination);

    /// <summary>The public name, never the key.</summary>
    public override string ToString() => Id.ToString();
}
