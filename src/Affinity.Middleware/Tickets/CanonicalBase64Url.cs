using System.Buffers;
using System.Buffers.Text;

namespace Affinity.Tickets;

/// <summary>
/// Base64url (RFC 4648, section 5) with exactly one text per byte string: no padding, no white space, no bits set behind the last byte.
/// The framework's decoder accepts all three, so that one signed ticket would have many spellings.
/// </summary>
internal static class CanonicalBase64Url
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    private static readonly SearchValues<char> Letters = SearchValues.Create(Alphabet);

    /// <summary>How many bytes a canonical text of this length stands for.</summary>
    public static int DecodedLength(int textLength) => (int)(textLength * 3L / 4);

    /// <summary>Decodes into <paramref name="destination"/>, which must hold <see cref="DecodedLength"/> bytes; false for any text that is not canonical.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, Span<byte> destination)
    {
        // Trailing bits: two characters carry one byte and 4 spare bits, three carry two bytes and 2 spare bits.
        var spareBits = (text.Length % 4) switch { 0 => 0, 2 => 0b1111, 3 => 0b11, _ => -1 };
        if (spareBits < 0 || text.ContainsAnyExcept(Letters))
        {
            return false;
        }

        if (spareBits > 0 && (Alphabet.IndexOf(text[^1], StringComparison.Ordinal) & spareBits) != 0)
        {
            return false;
        }

        return Base64Url.TryDecodeFromChars(text, destination, out var written) && written == DecodedLength(text.Length);
    }
}
