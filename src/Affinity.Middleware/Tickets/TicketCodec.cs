namespace Affinity.Tickets;

/// <summary>
/// The ticket's wire format: a <see cref="SignedEnvelope"/> of kind 0x01 and the constant "Affinity ticket", all numbers big-endian, around
/// <code>
/// body: flags 1 | issued 8 | idle until 8 | expires 8 (Unix seconds) | session id 16 | counter 8 | stamp 8 | generation 4 | sections
/// </code>
/// in all, without sections, one text of 138 characters. A flag announces a section, length 2 | bytes, at least 1: 0x01 a journal, sealed; 0x02 content, the session itself, in a form that the
/// session stage knows. They stand in the order of their flags. A reader refuses a flag that it does not know, and bytes that no flag announces. A text that has no room in one cookie is spread
/// over several (<see cref="TicketChunks"/>). Answers are values: no input throws.
/// </summary>
internal sealed class TicketCodec(string application, string cookieName, TimeProvider time)
{
    /// <summary>The longest text that is looked at: <see cref="TicketChunks.Max"/> cookies hold no longer one.</summary>
    public const int MaxTextLength = TicketChunks.Max * TicketChunks.MaxValueLength;

    /// <summary>The envelope's kind.</summary>
    public const byte Kind = 1;


    private static readonly int ShortTextLength = SignedEnvelope.TextLength(TicketBody.Size);

    private readonly SignedEnvelope _envelope = new(Kind, "Affinity ticket", application, cookieName, MaxTextLength);

    /// <summary>How far the clocks of two nodes may differ before it is told.</summary>
    public static TimeSpan ClockTolerance { get; } = TimeSpan.FromMinutes(5);

    /// <summary>The longest section with which, alone, a ticket's text has at most so many characters; 0 when none fits.</summary>
    public static int MaxSectionLength(int textLength)
    {
        var length = CanonicalBase64Url.DecodedLength(textLength);
        while (length > 0 && SignedEnvelope.TextLength(TicketBody.SizeWith(length)) > textLength)
        {
            length--;
        }

        return length;
    }

    /// <summary>Writes a ticket.</summary>
    /// <exception cref="ArgumentException">The ticket holds what no reader accepts: times out of order, a negative generation, half a version.</exception>
    public string Encode(Ticket ticket, SigningKey key)
    {
        var size = TicketBody.SizeOf(ticket);
        Span<byte> body = size == TicketBody.Size ? stackalloc byte[TicketBody.Size] : new byte[size];
        TicketBody.Write(ticket, body);
        return _envelope.Seal(body, key);
    }

    /// <summary>Reads a ticket as of now. The body is looked at once the signature is verified.</summary>
    public TicketDecoding Decode(ReadOnlySpan<char> text, ISigningKeys keys)
    {
        var decoding = DecodeWhenever(text, keys);
        return decoding.Ticket is { } ticket ? AsOfNow(decoding, ticket) : decoding;
    }

    /// <summary>The same, but a ticket whose time has run out is handed over with the others, as <see cref="TicketReasons.Valid"/>.</summary>
    public TicketDecoding DecodeWhenever(ReadOnlySpan<char> text, ISigningKeys keys)
    {
        Span<byte> body = text.Length <= ShortTextLength ? stackalloc byte[TicketBody.Size] : new byte[CanonicalBase64Url.DecodedLength(Math.Min(text.Length, MaxTextLength))];
        var opening = _envelope.Open(text, keys, body);
        return opening.IsGenuine
            ? DecodeGenuine(body[..opening.BodySize], opening.Key)
            : new TicketDecoding(opening.Reason, UnknownKey: opening.UnknownKey);
    }

    private static TicketDecoding DecodeGenuine(ReadOnlySpan<byte> body, SigningKey? key) =>
        TicketBody.TryRead(body, out var ticket) ? new TicketDecoding(TicketReasons.Valid, ticket, Key: key) : TicketDecoding.Refused(TicketReasons.BadBody);

    private TicketDecoding AsOfNow(in TicketDecoding decoding, Ticket ticket)
    {
        var now = time.GetUtcNow();
        if (now >= ticket.Expires)
        {
            return TicketDecoding.Refused(TicketReasons.Expired);
        }

        // One of our nodes has signed it, so the fault is a clock's and not the visitor's: refusing it would log out everybody whom a lagging node meets.
        return ticket.Issued - now > ClockTolerance ? decoding with { Reason = TicketReasons.IssuedAhead } : decoding;
    }
}
