using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;

namespace Affinity.Tickets;

/// <summary>
/// A signing key as it lies in the vault: <c>1.id.created.activates.key</c>, format, base64url of 8 bytes, two times in Unix seconds, base64url of 32 bytes.
/// The id is derived from the key, so it also tells a damaged element.
/// </summary>
internal sealed record RingKey(SigningKey Key, long Created, long Activates)
{
    private const string Format = "1";

    /// <summary>A new random key.</summary>
    public static RingKey Create(DateTimeOffset created, DateTimeOffset activates)
    {
        Span<byte> bytes = stackalloc byte[SigningKey.Size];
        RandomNumberGenerator.Fill(bytes);
        return new RingKey(new SigningKey(IdOf(bytes), bytes), created.ToUnixTimeSeconds(), activates.ToUnixTimeSeconds());
    }

    /// <summary>Reads an element; false for a format of a later release, which stays in the ring for those who know it, and for damage.</summary>
    public static bool TryParse(string element, out RingKey key)
    {
        key = null!;
        var parts = element.Split('.');
        if (parts.Length != 5 || parts[0] is not Format || !TryParseTime(parts[2], out var created) || !TryParseTime(parts[3], out var activates))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[SigningKey.Size];
        if (CanonicalBase64Url.DecodedLength(parts[4].Length) != SigningKey.Size || !CanonicalBase64Url.TryDecode(parts[4], bytes))
        {
            return false;
        }

        var id = IdOf(bytes);
        if (!string.Equals(parts[1], id.ToString(), StringComparison.Ordinal))
        {
            return false;
        }

        key = new RingKey(new SigningKey(id, bytes), created, activates);
        return true;
    }

    /// <summary>The text for the vault. Holds the key itself: not for logs.</summary>
    public string ToElement()
    {
        Span<byte> bytes = stackalloc byte[SigningKey.Size];
        Key.ExportTo(bytes);
        return string.Create(CultureInfo.InvariantCulture, $"{Format}.{Key.Id}.{Created}.{Activates}.{Base64Url.EncodeToString(bytes)}");
    }

    private static SigningKeyId IdOf(ReadOnlySpan<byte> key)
    {
        Span<byte> id = stackalloc byte[SigningKeyId.Size];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, id, salt: [], "Affinity v1 signing key id"u8);
        return SigningKeyId.Read(id);
    }

    private static bool TryParseTime(string text, out long seconds) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out seconds);
}
