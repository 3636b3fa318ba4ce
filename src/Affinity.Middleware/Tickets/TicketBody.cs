using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Affinity.Tickets;

/// <summary>The body of a ticket of format 1, laid out as <see cref="TicketCodec"/> says. Read only once the signature is verified.</summary>
internal static class TicketBody
{
    /// <summary>Flags, three times, session id, counter, stamp and generation: a ticket without further sections.</summary>
    public const int Size = 1 + (3 * sizeof(long)) + SessionId.Size + (2 * sizeof(ulong)) + sizeof(int);

    private const byte JournalFlag = 0x01;
    private const byte ContentFlag = 0x02;
    private const int IssuedAt = 1;
    private const int IdleUntilAt = IssuedAt + sizeof(long);
    private const int ExpiresAt = IdleUntilAt + sizeof(long);
    private const int SessionAt = ExpiresAt + sizeof(long);
    private const int CounterAt = SessionAt + SessionId.Size;
    private const int StampAt = CounterAt + sizeof(ulong);
    private const int GenerationAt = StampAt + sizeof(ulong);

    // The last second of the year 9999, the latest that a DateTimeOffset can hold.
    private const long MaxSeconds = 253_402_300_799;

    /// <summary>How many bytes the body of a ticket with one section of so many bytes has.</summary>
    public static int SizeWith(int sectionLength) => Size + SizeOf(sectionLength);

    /// <summary>How many bytes the body of a ticket has.</summary>
    public static int SizeOf(Ticket ticket) => Size + SizeOf(ticket.Journal?.Length ?? 0) + SizeOf(ticket.Content?.Length ?? 0);

    /// <param name="ticket">What to write.</param>
    /// <param name="body">Exactly <see cref="SizeOf(Ticket)"/> bytes.</param>
    public static void Write(Ticket ticket, Span<byte> body)
    {
        var (issued, idleUntil, expires) =
            (ticket.Issued.ToUnixTimeSeconds(), ticket.IdleUntil.ToUnixTimeSeconds(), ticket.Expires.ToUnixTimeSeconds());
        if (!IsSane(issued, idleUntil, expires, ticket.Version, ticket.Generation))
        {
            throw new ArgumentException("A ticket has Issued ≤ IdleUntil ≤ Expires, a whole version and a generation of 0 or more.", nameof(ticket));
        }

        if (ticket is { Journal.Length: 0 or > ushort.MaxValue } or { Content.Length: 0 or > ushort.MaxValue })
        {
            throw new ArgumentException("A ticket's journal and its content have 1 to 65,535 bytes, or are null.", nameof(ticket));
        }

        WriteSection(ticket.Content, WriteSection(ticket.Journal, body[Size..]));
        body[0] = (byte)((ticket.Journal is null ? 0 : JournalFlag) | (ticket.Content is null ? 0 : ContentFlag));
        BinaryPrimitives.WriteInt64BigEndian(body[IssuedAt..], issued);
        BinaryPrimitives.WriteInt64BigEndian(body[IdleUntilAt..], idleUntil);
        BinaryPrimitives.WriteInt64BigEndian(body[ExpiresAt..], expires);
        ticket.Session.Write(body[SessionAt..]);
        BinaryPrimitives.WriteUInt64BigEndian(body[CounterAt..], ticket.Version.Counter);
        BinaryPrimitives.WriteUInt64BigEndian(body[StampAt..], ticket.Version.Stamp);
        BinaryPrimitives.WriteInt32BigEndian(body[GenerationAt..], ticket.Generation);
    }

    public static bool TryRead(ReadOnlySpan<byte> body, [NotNullWhen(true)] out Ticket? ticket)
    {
        ticket = null;
        if (body.Length < Size || !TryReadSections(body[0], body[Size..], out var journal, out var content) || !SessionId.TryRead(body[SessionAt..CounterAt], out var session))
        {
            return false;
        }

        var issued = BinaryPrimitives.ReadInt64BigEndian(body[IssuedAt..]);
        var idleUntil = BinaryPrimitives.ReadInt64BigEndian(body[IdleUntilAt..]);
        var expires = BinaryPrimitives.ReadInt64BigEndian(body[ExpiresAt..]);
        var version = new SessionVersion(
            BinaryPrimitives.ReadUInt64BigEndian(body[CounterAt..]), BinaryPrimitives.ReadUInt64BigEndian(body[StampAt..]));
        var generation = BinaryPrimitives.ReadInt32BigEndian(body[GenerationAt..]);
        if (!IsSane(issued, idleUntil, expires, version, generation))
        {
            return false;
        }

        ticket = new Ticket(session, version, generation, FromSeconds(issued), FromSeconds(idleUntil), FromSeconds(expires)) { Journal = journal, Content = content };
        return true;
    }

    /// <summary>What stands behind the generation is what the flags announce, to the last byte.</summary>
    private static bool TryReadSections(byte flags, ReadOnlySpan<byte> rest, out byte[]? journal, out byte[]? content)
    {
        content = null;
        return TryReadSection((flags & JournalFlag) != 0, ref rest, out journal)
            && TryReadSection((flags & ContentFlag) != 0, ref rest, out content)
            && rest.IsEmpty
            && (flags & ~(JournalFlag | ContentFlag)) == 0;
    }

    private static bool TryReadSection(bool isAnnounced, ref ReadOnlySpan<byte> rest, out byte[]? section)
    {
        section = null;
        if (!isAnnounced)
        {
            return true;
        }

        if (rest.Length < sizeof(ushort))
        {
            return false;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (length == 0 || length > rest.Length - sizeof(ushort))
        {
            return false;
        }

        section = rest.Slice(sizeof(ushort), length).ToArray();
        rest = rest[(sizeof(ushort) + length)..];
        return true;
    }

    private static Span<byte> WriteSection(byte[]? section, Span<byte> rest)
    {
        if (section is null)
        {
            return rest;
        }

        BinaryPrimitives.WriteUInt16BigEndian(rest, (ushort)section.Length);
        section.CopyTo(rest[sizeof(ushort)..]);
        return rest[(sizeof(ushort) + section.Length)..];
    }

    private static int SizeOf(int sectionLength) => sectionLength == 0 ? 0 : sizeof(ushort) + sectionLength;

    private static bool IsSane(long issued, long idleUntil, long expires, SessionVersion version, int generation) =>
        issued >= 0 && idleUntil >= issued && expires >= idleUntil && expires <= MaxSeconds
        && version.IsNone == (version.Stamp == 0) && generation >= 0;

    private static DateTimeOffset FromSeconds(long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
