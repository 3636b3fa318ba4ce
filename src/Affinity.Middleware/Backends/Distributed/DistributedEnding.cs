using System.Buffers.Binary;

namespace Affinity.Backends.Distributed;

/// <summary>
/// The memory of a session's ending, as a cache entry of its own, format 1: <c>01 | until i64</c>, in Unix milliseconds of the clock of the node that ended it. That the entry is there is what ends the session; until when it counts is
/// told only so that a second, shorter ending does not shorten it. So a damaged one ends it just as well.
/// </summary>
internal static class DistributedEnding
{
    private const byte Format = 1;
    private const int Size = 1 + 8;

    public static byte[] Write(DateTimeOffset until)
    {
        var bytes = new byte[Size];
        bytes[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), until.ToUnixTimeMilliseconds());
        return bytes;
    }

    /// <summary>Until when it counts; the beginning of time for what cannot be read.</summary>
    public static DateTimeOffset Until(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length != Size || bytes[0] != Format)
        {
            return DateTimeOffset.MinValue;
        }

        var until = BinaryPrimitives.ReadInt64BigEndian(bytes[1..]);
        return until >= 0 && until <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(until) : DateTimeOffset.MinValue;
    }
}
