using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Affinity.FaultTests.Former;

/// <summary>
/// Tickets and records of format 1 as the first release wrote and read them: written down a second time, so that a change of the library does not change this. Never to be adapted; its tests hold it to the golden files.
/// </summary>
internal static class FormerFormat
{
    private const int MacSize = 32;
    private const int TicketSize = 10 + 61 + MacSize;
    private const long SecondsPerWeek = 604_800;

    public static string Seal(FormerTicket ticket, string application, string cookie, string secret, DateTimeOffset now)
    {
        var week = (uint)(now.ToUnixTimeSeconds() / SecondsPerWeek);
        var wire = new byte[TicketSize];
        (wire[0], wire[1]) = (1, 1);
        HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(secret), wire.AsSpan(2, 4), salt: [], "Affinity v1 secret fingerprint"u8);
        BinaryPrimitives.WriteUInt32BigEndian(wire.AsSpan(6), week);
        BinaryPrimitives.WriteInt64BigEndian(wire.AsSpan(11), ticket.Issued);
        BinaryPrimitives.WriteInt64BigEndian(wire.AsSpan(19), ticket.IdleUntil);
        BinaryPrimitives.WriteInt64BigEndian(wire.AsSpan(27), ticket.Expires);
        ticket.Session.CopyTo(wire.AsSpan(35));
        BinaryPrimitives.WriteUInt64BigEndian(wire.AsSpan(51), ticket.Counter);
        BinaryPrimitives.WriteUInt64BigEndian(wire.AsSpan(59), ticket.Stamp);
        BinaryPrimitives.WriteInt32BigEndian(wire.AsSpan(67), ticket.Generation);
        Mac(wire.AsSpan(..^MacSize), week, application, cookie, secret).CopyTo(wire.AsSpan(^MacSize..));
        return Base64Url.EncodeToString(wire);
    }

    /// <summary>Null: not genuine, or of another format.</summary>
    public static FormerTicket? Open(string text, string application, string cookie, string secret)
    {
        var wire = Base64Url.DecodeFromChars(text);
        if (wire.Length != TicketSize || wire[0] != 1 || wire[1] != 1 || wire[10] != 0)
        {
            return null;
        }

        var week = BinaryPrimitives.ReadUInt32BigEndian(wire.AsSpan(6));
        return Mac(wire.AsSpan(..^MacSize), week, application, cookie, secret).AsSpan().SequenceEqual(wire.AsSpan(^MacSize..))
            ? new FormerTicket(
                wire[35..51],
                BinaryPrimitives.ReadUInt64BigEndian(wire.AsSpan(51)),
                BinaryPrimitives.ReadUInt64BigEndian(wire.AsSpan(59)),
                BinaryPrimitives.ReadInt32BigEndian(wire.AsSpan(67)),
                BinaryPrimitives.ReadInt64BigEndian(wire.AsSpan(11)),
                BinaryPrimitives.ReadInt64BigEndian(wire.AsSpan(19)),
                BinaryPrimitives.ReadInt64BigEndian(wire.AsSpan(27)))
            : null;
    }

    public static byte[] Encode(FormerContent content)
    {
        using var stream = new MemoryStream();
        stream.WriteByte(1);
        stream.Write(Number(content.Created, 8));
        stream.Write(Number(content.Renewed, 8));
        stream.Write(Number(content.Items.Count, 4));
        foreach (var (key, value) in content.Items)
        {
            var name = Encoding.UTF8.GetBytes(key);
            stream.Write(Number(name.Length, 2));
            stream.Write(name);
            stream.Write(Number(value.Length, 4));
            stream.Write(value);
        }

        return stream.ToArray();
    }

    /// <summary>Null: of another format.</summary>
    public static FormerContent? Decode(byte[] payload)
    {
        if (payload[0] != 1)
        {
            return null;
        }

        var items = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var at = 21;
        for (var left = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(17)); left > 0; left--)
        {
            var name = BinaryPrimitives.ReadUInt16BigEndian(payload.AsSpan(at));
            var size = BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(at + 2 + name));
            items[Encoding.UTF8.GetString(payload, at + 2, name)] = payload[(at + 6 + name)..(at + 6 + name + size)];
            at += 6 + name + size;
        }

        return at == payload.Length ? new FormerContent(BinaryPrimitives.ReadInt64BigEndian(payload.AsSpan(1)), BinaryPrimitives.ReadInt64BigEndian(payload.AsSpan(9)), items) : null;
    }

    private static byte[] Mac(ReadOnlySpan<byte> signed, uint week, string application, string cookie, string secret)
    {
        byte[] info = [.. "Affinity v1 ticket week "u8, .. Number(week, 4)];
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Convert.FromBase64String(secret), MacSize, salt: [], info);
        byte[] input = [.. Part("Affinity ticket"u8), .. Part(Encoding.UTF8.GetBytes(application)), .. Part(Encoding.UTF8.GetBytes(cookie)), .. Part(signed)];
        return HMACSHA256.HashData(key, input);
    }

    private static byte[] Part(ReadOnlySpan<byte> bytes) => [.. Number(bytes.Length, 4), .. bytes];

    private static byte[] Number(long value, int size)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(bytes, value);
        return bytes[^size..];
    }
}

/// <summary>A ticket of format 1; times in Unix seconds.</summary>
internal sealed record FormerTicket(byte[] Session, ulong Counter, ulong Stamp, int Generation, long Issued, long IdleUntil, long Expires)
{
    public string Version => $"{Counter}-{Stamp:x16}";
}

/// <summary>The payload of a record of format 1; times in Unix milliseconds.</summary>
internal sealed record FormerContent(long Created, long Renewed, IReadOnlyDictionary<string, byte[]> Items);
