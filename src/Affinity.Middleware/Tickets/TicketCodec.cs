namespace Affinity.Tickets;

/// <summary>
/// The ticket's wire format: a <see cref="SignedEnvelope"/> of kind 0x01 and the constant "Affinity ticket", all numbers big-endian, around
/// <code>
/// body: flags 1 = 0 | issued 8 | idle until 8 | expires 8 (Unix seconds) | session id 16 | counter 8 | stamp 8 | generation 4
/// </code>
/// in all one text of 138 characters. A flag announces a further section behind the generation; none is defined yet and a reader refuses a flag that it
/// does not know. Answers are values: no input throws.
/// </summary>
internal sealed class TicketCodec(string application, string cookieName, TimeProvider time)
{
    /// <summary>The longest text that is looked at: browsers keep no longer cookie.</summary>
    public const int MaxTextLength = 4096;

    private const byte SessionKind = 1;

    private readonly SignedEnvelope _envelope = new(SessionKind, "Affinity ticket", application, cookieName, MaxTextLength);

    /// <summary>How far the clocks of two nodes may differ before it is told.</summary>
    public static TimeSpan ClockTolerance { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Writes a ticket.</summary>
    /// <exception cref="ArgumentException">The ticket holds what no reader accepts: times out of order, a negative generation, half a version.</exception>
    public string Encode(Ticket ticket, SigningKey key)
    {
        Span<byte> body = stackalloc byte[TicketBody.Size];
        TicketBody.Write(ticket, body);
        return _envelope.Seal(body, key);
    }

    /// <summary>Reads a ticket as of now. The body is looked at once the signature is verified.</summary>
    public TicketDecoding Decode(ReadOnlySpan<char> text, ISigningKeys keys)
    {
        Span<byte> body = stackalloc byte[TicketBody.Size];
        var opening = _envelope.Open(text, keys, body);
        return opening.IsGenuine
            ? DecodeGenuine(body[..opening.BodySize], opening.Key)
            : new TicketDecoding(opening.Reason, UnknownKey: opening.UnknownKey);
    }

    private TicketDecoding DecodeGenuine(ReadOnlySpan<byte> body, SigningKey? key)
    {
        if (!TicketBody.TryRead(body, out var ticket))
        {
            return TicketDecoding.Refused(TicketReasons.BadBody);
        }

        var now = time.GetUtcNow();
        if (now >= ticket.Expires)
        {
            return TicketDecoding.Refused(TicketReasons.Expired);
        }

        // One of our nodes has signed it, so the fault is a clock's and not the visitor's: refusing it would log out everybody whom a lagging node meets.
        return new TicketDecoding(ticket.Issued - now > ClockTolerance ? TicketReasons.IssuedAhead : TicketReasons.Valid, ticket, Key: key);
    }
}
