using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What came of reading a journal's bytes.</summary>
internal enum JournalDecoding
{
    /// <summary>Nobody writes this.</summary>
    Damaged,

    /// <summary>A later release has written it; it knows how to go on.</summary>
    Newer,

    /// <summary>Here it is.</summary>
    Decoded,
}

/// <summary>
/// The form of a journal before it is sealed, format 1, numbers big-endian:
/// <code>
/// 01 | count u8, 1 to 8 | entry*
/// entry: flags u8 (01 clears, 02 raises the generation) | expected counter u64, stamp u64 | tag u64 | joined u8, 0 to 8 | tag u64* | count u16 | change*
/// change: key length u16 | key UTF-8 | value length u16, FFFF for removed | value
/// </code>
/// Every length is checked against what is there before it is used; anything else is refused whole.
/// </summary>
internal static class SessionJournalCodec
{
    private const byte Format = 1;
    private const byte ClearsFlag = 0x01;
    private const byte RaisesFlag = 0x02;
    private const ushort Removed = ushort.MaxValue;
    private const int HeaderSize = 2;
    private const int EntrySize = 1 + (3 * sizeof(ulong)) + 1 + sizeof(ushort);
    private const int JoinedAt = 1 + (3 * sizeof(ulong));
    private const int ChangeSize = 2 * sizeof(ushort);

    /// <summary>How many bytes it takes.</summary>
    public static long SizeOf(SessionJournal journal) =>
        HeaderSize + journal.Entries.Sum(entry => EntrySize + (entry.Joined.Count * sizeof(ulong)) + entry.Changes.Sum(change => (long)ChangeSize + Encoding.UTF8.GetByteCount(change.Key) + (change.Value?.Length ?? 0)));

    /// <summary>Encodes a journal of at most 65,534 bytes with 1 to 8 entries.</summary>
    public static byte[] Encode(SessionJournal journal)
    {
        var size = SizeOf(journal);
        if (size >= Removed || journal.Entries.Count is 0 or > SessionJournal.MaxEntries)
        {
            throw new ArgumentException("A journal has 1 to 8 entries and less than 65,535 bytes.", nameof(journal));
        }

        var buffer = new byte[size];
        (buffer[0], buffer[1]) = (Format, (byte)journal.Entries.Count);
        var span = buffer.AsSpan(HeaderSize);
        foreach (var entry in journal.Entries)
        {
            span[0] = (byte)((entry.Clears ? ClearsFlag : 0) | (entry.RaisesGeneration ? RaisesFlag : 0));
            BinaryPrimitives.WriteUInt64BigEndian(span[1..], entry.Expected.Counter);
            BinaryPrimitives.WriteUInt64BigEndian(span[9..], entry.Expected.Stamp);
            BinaryPrimitives.WriteUInt64BigEndian(span[17..], entry.Tag);
            span[JoinedAt] = (byte)entry.Joined.Count;
            span = span[(JoinedAt + 1)..];
            foreach (var joined in entry.Joined)
            {
                BinaryPrimitives.WriteUInt64BigEndian(span, joined);
                span = span[sizeof(ulong)..];
            }

            BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)entry.Changes.Count);
            span = span[sizeof(ushort)..];
            foreach (var (key, value) in entry.Changes)
            {
                var keyBytes = Encoding.UTF8.GetBytes(key, span[2..]);
                BinaryPrimitives.WriteUInt16BigEndian(span, (ushort)keyBytes);
                span = span[(2 + keyBytes)..];
                BinaryPrimitives.WriteUInt16BigEndian(span, value is null ? Removed : (ushort)value.Length);
                value?.CopyTo(span[2..]);
                span = span[(2 + (value?.Length ?? 0))..];
            }
        }

        return buffer;
    }

    /// <summary>Decodes. Never throws, never allocates more than the bytes justify.</summary>
    public static JournalDecoding TryDecode(ReadOnlySpan<byte> bytes, out SessionJournal journal)
    {
        journal = SessionJournal.Empty;
        if (bytes.Length > 0 && bytes[0] > Format)
        {
            return JournalDecoding.Newer;
        }

        if (bytes.Length < HeaderSize || bytes[0] != Format || bytes[1] is 0 or > SessionJournal.MaxEntries)
        {
            return JournalDecoding.Damaged;
        }

        var entries = new JournalEntry[bytes[1]];
        bytes = bytes[HeaderSize..];
        for (var i = 0; i < entries.Length; i++)
        {
            if (!TryReadEntry(ref bytes, out entries[i]!))
            {
                return JournalDecoding.Damaged;
            }
        }

        if (!bytes.IsEmpty || entries.DistinctBy(entry => entry.Tag).Count() != entries.Length)
        {
            return JournalDecoding.Damaged;
        }

        journal = new SessionJournal(entries);
        return JournalDecoding.Decoded;
    }

    private static bool TryReadEntry(ref ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out JournalEntry? entry)
    {
        entry = null;
        if (bytes.Length < EntrySize || bytes[0] > (ClearsFlag | RaisesFlag))
        {
            return false;
        }

        var (clears, raises) = ((bytes[0] & ClearsFlag) != 0, (bytes[0] & RaisesFlag) != 0);
        var expected = new SessionVersion(BinaryPrimitives.ReadUInt64BigEndian(bytes[1..]), BinaryPrimitives.ReadUInt64BigEndian(bytes[9..]));
        var tag = BinaryPrimitives.ReadUInt64BigEndian(bytes[17..]);
        int joinedCount = bytes[JoinedAt];
        if (joinedCount > JournalEntry.MaxJoined || bytes.Length < EntrySize + (joinedCount * sizeof(ulong)))
        {
            return false;
        }

        var joined = new ulong[joinedCount];
        bytes = bytes[(JoinedAt + 1)..];
        foreach (ref var former in joined.AsSpan())
        {
            former = BinaryPrimitives.ReadUInt64BigEndian(bytes);
            bytes = bytes[sizeof(ulong)..];
        }

        int count = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        bytes = bytes[sizeof(ushort)..];
        if (tag == 0 || joined.Contains(0UL) || expected.IsNone != (expected.Stamp == 0) || expected.Counter == ulong.MaxValue || count > bytes.Length / ChangeSize)
        {
            return false;
        }

        var changes = new Dictionary<string, byte[]?>(count, StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!TryReadChange(ref bytes, changes))
            {
                return false;
            }
        }

        entry = new JournalEntry(expected, tag, clears, raises, changes) { Joined = joined };
        return true;
    }

    private static bool TryReadChange(ref ReadOnlySpan<byte> bytes, Dictionary<string, byte[]?> changes)
    {
        if (bytes.Length < ChangeSize)
        {
            return false;
        }

        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(bytes);
        if (bytes.Length < ChangeSize + keyLength || !System.Text.Unicode.Utf8.IsValid(bytes.Slice(2, keyLength)))
        {
            return false;
        }

        var key = Encoding.UTF8.GetString(bytes.Slice(2, keyLength));
        var valueLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 + keyLength)..]);
        bytes = bytes[(ChangeSize + keyLength)..];
        if (valueLength == Removed)
        {
            return changes.TryAdd(key, value: null);
        }

        if (valueLength > bytes.Length)
        {
            return false;
        }

        var added = changes.TryAdd(key, bytes[..valueLength].ToArray());
        bytes = bytes[valueLength..];
        return added;
    }
}
