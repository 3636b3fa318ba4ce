using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Affinity.Tickets;

/// <summary>
/// The ticket's wire format, version 1, all numbers big-endian:
/// <code>
/// version 1 = 0x01 | kind 1 = 0x01 session | key id 8 | body | MAC 32
/// body: flags 1 = 0 | issued 8 | idle until 8 | expires 8 (Unix seconds) | session id 16 | counter 8 | stamp 8 | generation 4
/// </code>
/// as one canonical base64url text of 138 characters. The MAC is HMAC-SHA256 over four parts, each preceded by its length in 4 bytes: a constant, the
/// application, the cookie's name, and everything before the MAC, so it binds version, kind, key id and body too. A flag announces a further section
/// behind the generation; none is defined yet and a reader refuses a flag that it does not know. Answers are values: no input throws.
/// </summary>
internal sealed class TicketCodec
{
    /// <summary>The longest text that is looked at: browsers keep no longer cookie.</summary>
    public const int MaxTextLength = 4096;

    private const byte Version = 1;
    private const byte SessionKind = 1;
    private const int HeaderSize = 2 + SigningKeyId.Size;
    private const int SignedSize = HeaderSize + TicketBody.Size;
    private const int StackLimit = 512;

    private readonly TimeProvider _time;
    private readonly byte[] _context;

    public TicketCodec(string application, string cookieName, TimeProvider time)
    {
        _time = time;
        _context = [.. Part("Affinity ticket"), .. Part(application), .. Part(cookieName)];
    }

    /// <summary>How far the clocks of two nodes may differ before it is told.</summary>
    public static TimeSpan ClockTolerance { get; } = TimeSpan.FromMinutes(5);

    /// <summary>Writes a ticket.</summary>
    /// <exception cref="ArgumentException">The ticket holds what no reader accepts: times out of order, a negative generation, half a version.</exception>
    public string Encode(Ticket ticket, SigningKey key)
    {
        var prefix = _context.Length + sizeof(int);
        var size = prefix + SignedSize + SigningKey.MacSize;
        Span<byte> buffer = size <= StackLimit ? stackalloc byte[StackLimit] : new byte[size];
        var wire = buffer[prefix..size];
        wire[0] = Version;
        wire[1] = SessionKind;
        key.Id.Write(wire[2..]);
        TicketBody.Write(ticket, wire[HeaderSize..SignedSize]);
        WriteContext(buffer, SignedSize);
        key.Sign(buffer[..(prefix + SignedSize)], wire[SignedSize..]);
        return Base64Url.EncodeToString(wire);
    }

    /// <summary>Reads a ticket as of now. Before the signature is verified nothing is used but the version and the key's name.</summary>
    public TicketDecoding Decode(ReadOnlySpan<char> text, ISigningKeys keys)
    {
        var length = CanonicalBase64Url.DecodedLength(text.Length);
        if (text.Length > MaxTextLength || length <= HeaderSize + SigningKey.MacSize)
        {
            return TicketDecoding.Refused(TicketReasons.BadLength);
        }

        // The bytes are decoded to where the MAC's input wants them.
        var prefix = _context.Length + sizeof(int);
        var size = prefix + length;
        Span<byte> buffer = size <= StackLimit ? stackalloc byte[StackLimit] : new byte[size];
        var wire = buffer[prefix..size];
        if (!CanonicalBase64Url.TryDecode(text, wire))
        {
            return TicketDecoding.Refused(TicketReasons.BadText);
        }

        if (wire[0] != Version)
        {
            return TicketDecoding.Refused(TicketReasons.BadVersion);
        }

        var keyId = SigningKeyId.Read(wire[2..HeaderSize]);
        if (!keys.TryFind(keyId, out var key))
        {
            return new TicketDecoding(TicketReasons.UnknownKey, UnknownKey: keyId);
        }

        var signed = length - SigningKey.MacSize;
        WriteContext(buffer, signed);
        return key.Verify(buffer[..(prefix + signed)], wire[signed..])
            ? DecodeGenuine(wire[..signed])
            : TicketDecoding.Refused(TicketReasons.BadMac);
    }

    private TicketDecoding DecodeGenuine(ReadOnlySpan<byte> signed)
    {
        if (signed[1] != SessionKind)
        {
            return TicketDecoding.Refused(TicketReasons.BadKind);
        }

        if (!TicketBody.TryRead(signed[HeaderSize..], out var ticket))
        {
            return TicketDecoding.Refused(TicketReasons.BadBody);
        }

        var now = _time.GetUtcNow();
        if (now >= ticket.Expires)
        {
            return TicketDecoding.Refused(TicketReasons.Expired);
        }

        // One of our nodes has signed it, so the fault is a clock's and not the visitor's: refusing it would log out everybody whom a lagging node meets.
        return new TicketDecoding(ticket.Issued - now > ClockTolerance ? TicketReasons.IssuedAhead : TicketReasons.Valid, ticket);
    }

    private void WriteContext(Span<byte> buffer, int signedLength)
    {
        _context.CopyTo(buffer);
        BinaryPrimitives.WriteInt32BigEndian(buffer[_context.Length..], signedLength);
    }

    private static byte[] Part(string text)
    {
        var part = new byte[sizeof(int) + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt32BigEndian(part, part.Length - sizeof(int));
        Encoding.UTF8.GetBytes(text, part.AsSpan(sizeof(int)));
        return part;
    }
}
