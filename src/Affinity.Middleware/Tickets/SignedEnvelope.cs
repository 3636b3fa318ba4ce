using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Affinity.Tickets;

/// <summary>
/// What stands around the body of every signed cookie, version 1:
/// <code>
/// version 1 = 0x01 | kind 1 | key id 8 | body, at least 1 | MAC 32
/// </code>
/// as one canonical base64url text. Kinds: 0x01 session, 0x02 binding. The MAC is HMAC-SHA256 over four parts, each preceded by its length in 4 bytes, big-endian: a constant of the kind, the
/// application, the cookie's name, and everything before the MAC, so it binds version, kind, key id and body too. Answers are values: no input throws.
/// </summary>
internal sealed class SignedEnvelope
{
    private const byte Version = 1;
    private const int HeaderSize = 2 + SigningKeyId.Size;
    private const int StackLimit = 512;

    private readonly byte _kind;
    private readonly int _maxTextLength;
    private readonly byte[] _context;

    /// <param name="kind">What is in it.</param>
    /// <param name="constant">The same in words; each kind has its own.</param>
    /// <param name="application">Whose it is.</param>
    /// <param name="cookieName">Which cookie carries it.</param>
    /// <param name="maxTextLength">A longer text is refused before anything else is looked at.</param>
    public SignedEnvelope(byte kind, string constant, string application, string cookieName, int maxTextLength)
    {
        (_kind, _maxTextLength) = (kind, maxTextLength);
        _context = [.. Part(constant), .. Part(application), .. Part(cookieName)];
    }

    /// <summary>How long the text of a body is.</summary>
    public static int TextLength(int bodySize) => Base64Url.GetEncodedLength(HeaderSize + bodySize + SigningKey.MacSize);

    /// <summary>Signs a body.</summary>
    public string Seal(ReadOnlySpan<byte> body, SigningKey key)
    {
        var (prefix, signed) = (_context.Length + sizeof(int), HeaderSize + body.Length);
        var size = prefix + signed + SigningKey.MacSize;
        Span<byte> buffer = size <= StackLimit ? stackalloc byte[StackLimit] : new byte[size];
        var wire = buffer[prefix..size];
        wire[0] = Version;
        wire[1] = _kind;
        key.Id.Write(wire[2..]);
        body.CopyTo(wire[HeaderSize..]);
        WriteContext(buffer, signed);
        key.Sign(buffer[..(prefix + signed)], wire[signed..]);
        return Base64Url.EncodeToString(wire);
    }

    /// <summary>Verifies a text and copies its body to <paramref name="body"/>. Before the signature is verified nothing is used but the version and the key's name.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="keys">The keys that verify.</param>
    /// <param name="body">Room for the largest body that the caller can read; a larger one is refused although it is genuine.</param>
    public EnvelopeOpening Open(ReadOnlySpan<char> text, ISigningKeys keys, Span<byte> body)
    {
        var length = CanonicalBase64Url.DecodedLength(text.Length);
        if (text.Length > _maxTextLength || length <= HeaderSize + SigningKey.MacSize)
        {
            return EnvelopeOpening.Refused(TicketReasons.BadLength);
        }

        // The bytes are decoded to where the MAC's input wants them.
        var prefix = _context.Length + sizeof(int);
        var size = prefix + length;
        Span<byte> buffer = size <= StackLimit ? stackalloc byte[StackLimit] : new byte[size];
        var wire = buffer[prefix..size];
        if (!CanonicalBase64Url.TryDecode(text, wire))
        {
            return EnvelopeOpening.Refused(TicketReasons.BadText);
        }

        if (wire[0] != Version)
        {
            return EnvelopeOpening.Refused(TicketReasons.BadVersion);
        }

        var keyId = SigningKeyId.Read(wire[2..HeaderSize]);
        if (!keys.TryFind(keyId, out var key))
        {
            return new EnvelopeOpening(TicketReasons.UnknownKey, UnknownKey: keyId);
        }

        var signed = length - SigningKey.MacSize;
        WriteContext(buffer, signed);
        return key.Verify(buffer[..(prefix + signed)], wire[signed..])
            ? OpenGenuine(wire[..signed], key, body)
            : EnvelopeOpening.Refused(TicketReasons.BadMac);
    }

    private EnvelopeOpening OpenGenuine(ReadOnlySpan<byte> signed, SigningKey key, Span<byte> body)
    {
        if (signed[1] != _kind)
        {
            return EnvelopeOpening.Refused(TicketReasons.BadKind);
        }

        var content = signed[HeaderSize..];
        return content.TryCopyTo(body)
            ? new EnvelopeOpening(TicketReasons.Valid, content.Length, Key: key)
            : EnvelopeOpening.Refused(TicketReasons.BadBody);
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

/// <summary>What came of opening one text.</summary>
/// <param name="Reason">One of <see cref="TicketReasons"/>; <see cref="TicketReasons.Valid"/> when it is genuine.</param>
/// <param name="BodySize">How many bytes its body has; 0 when it was not opened.</param>
/// <param name="UnknownKey">Which key it names when the reason is <see cref="TicketReasons.UnknownKey"/>, else null.</param>
/// <param name="Key">The key that has signed it, when it is genuine.</param>
internal readonly record struct EnvelopeOpening(string Reason, int BodySize = 0, SigningKeyId? UnknownKey = null, SigningKey? Key = null)
{
    public bool IsGenuine => BodySize > 0;

    public static EnvelopeOpening Refused(string reason) => new(reason);
}
