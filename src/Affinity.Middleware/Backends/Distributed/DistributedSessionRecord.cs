using System.Buffers.Binary;
using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends.Distributed;

/// <summary>
/// A session as a cache entry, format 1: <c>01 | generation i32 | idle i64 | ends i64 | count u8 | (counter u64, stamp u64)* | payload</c>, big-endian; the idle limit in milliseconds, the absolute one in
/// Unix milliseconds of the clock of the node that created the session; then the last 1 to 16 writes, oldest first, of which the last is the version. Every length is checked against what is there; anything else, a newer format too, is refused whole.
/// </summary>
internal sealed record DistributedSessionRecord(int Generation, TimeSpan Idle, DateTimeOffset Ends, IReadOnlyList<SessionVersion> Writes, ReadOnlyMemory<byte> Payload)
{
    private const byte Format = 1;
    private const int HeaderSize = 1 + 4 + 8 + 8 + 1;
    private const int WriteSize = 8 + 8;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(365 * 100);

    public SessionVersion Version => Writes[^1];

    public static DistributedSessionRecord Create(SessionWrite write, DateTimeOffset now) =>
        new(write.Generation, Bounded(write.Idle), now + Bounded(write.Absolute), [.. write.Between, write.Next], write.Payload);

    public DistributedSessionRecord Update(SessionWrite write) => this with
    {
        Generation = write.Generation,
        Idle = Bounded(write.Idle),
        Writes = [.. Writes.Concat(write.Between).TakeLast(SessionWrite.RememberedWrites - 1), write.Next],
        Payload = write.Payload,
    };

    /// <summary>Whether it was written by a write with this stamp, or has it among its last ones.</summary>
    public bool Knows(SessionVersion write) => Writes.Any(done => done.Stamp == write.Stamp);

    public StoredSession ToStored(DateTimeOffset now, bool withPayload)
    {
        var left = Ends - now;
        return new(Version, Generation, withPayload ? Payload : default, Idle < left ? Idle : left, left) { Writes = withPayload ? Writes : [] };
    }

    public byte[] Write()
    {
        var bytes = new byte[HeaderSize + (Writes.Count * WriteSize) + Payload.Length];
        var span = bytes.AsSpan();
        span[0] = Format;
        BinaryPrimitives.WriteInt32BigEndian(span[1..], Generation);
        BinaryPrimitives.WriteInt64BigEndian(span[5..], (long)Math.Ceiling(Idle.TotalMilliseconds));
        BinaryPrimitives.WriteInt64BigEndian(span[13..], Ends.ToUnixTimeMilliseconds());
        span[21] = (byte)Writes.Count;
        span = span[HeaderSize..];
        foreach (var write in Writes)
        {
            BinaryPrimitives.WriteUInt64BigEndian(span, write.Counter);
            BinaryPrimitives.WriteUInt64BigEndian(span[8..], write.Stamp);
            span = span[WriteSize..];
        }

        Payload.Span.CopyTo(span);
        return bytes;
    }

    /// <summary>Null for everything that <see cref="Write"/> does not write. Never throws, never allocates more than the bytes justify.</summary>
    public static DistributedSessionRecord? Read(ReadOnlyMemory<byte> bytes)
    {
        var span = bytes.Span;
        if (span.Length < HeaderSize || span[0] != Format)
        {
            return null;
        }

        var generation = BinaryPrimitives.ReadInt32BigEndian(span[1..]);
        var idle = BinaryPrimitives.ReadInt64BigEndian(span[5..]);
        var ends = BinaryPrimitives.ReadInt64BigEndian(span[13..]);
        int count = span[21];
        var payloadAt = HeaderSize + (count * WriteSize);
        if (generation < 0 || idle <= 0 || idle > Longest.TotalMilliseconds || ends < 0 || ends > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            || count is 0 or > SessionWrite.RememberedWrites || span.Length < payloadAt)
        {
            return null;
        }

        var writes = new SessionVersion[count];
        for (var i = 0; i < count; i++)
        {
            var at = span[(HeaderSize + (i * WriteSize))..];
            writes[i] = new SessionVersion(BinaryPrimitives.ReadUInt64BigEndian(at), BinaryPrimitives.ReadUInt64BigEndian(at[8..]));
            if (writes[i].Counter == 0 || writes[i].Stamp == 0 || (i > 0 && writes[i].Counter <= writes[i - 1].Counter))
            {
                return null;
            }
        }

        return new(generation, TimeSpan.FromMilliseconds(idle), DateTimeOffset.FromUnixTimeMilliseconds(ends), writes, bytes[payloadAt..]);
    }

    /// <summary>At most a hundred years, beyond which the arithmetic of caches overflows.</summary>
    public static TimeSpan Bounded(TimeSpan duration) => duration < Longest ? duration : Longest;
}
