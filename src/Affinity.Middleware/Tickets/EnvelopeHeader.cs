namespace Affinity.Tickets;

/// <summary>
/// What a signed cookie says of itself before anybody has verified it: for people who want to know why it is refused, and for nothing else. See <see cref="SignedEnvelope"/>.
/// </summary>
/// <param name="Version">The format.</param>
/// <param name="Kind">What is in it.</param>
/// <param name="Key">The key that it names.</param>
internal readonly record struct EnvelopeHeader(byte Version, byte Kind, SigningKeyId Key)
{
    private const int Size = 2 + SigningKeyId.Size;

    // Four characters carry three bytes.
    private const int TextSize = (Size + 2) / 3 * 4;

    /// <summary>Reads the beginning of a text; false when it is none of base64url.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out EnvelopeHeader header)
    {
        Span<byte> bytes = stackalloc byte[TextSize / 4 * 3];
        if (text.Length < TextSize || !CanonicalBase64Url.TryDecode(text[..TextSize], bytes))
        {
            header = default;
            return false;
        }

        header = new EnvelopeHeader(bytes[0], bytes[1], SigningKeyId.Read(bytes[2..Size]));
        return true;
    }
}
