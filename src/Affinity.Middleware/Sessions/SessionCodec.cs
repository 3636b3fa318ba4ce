using System.Buffers.Binary;
using System.Text;

namespace Affinity.Sessions;

/// <summary>
/// The stored form of a session's content, format 1:
/// <c>01 | created i64 | renewed i64 | count u32 | (key length u16, key UTF-8, value length i32, value)*</c>, big-endian, times in Unix milliseconds,
/// items in the order of the snapshot. Version, generation and limits are the store's own fields. Every length is checked against what is there before it is used;
/// anything else, a newer format too, is refused whole.
/// </summary>
internal static class SessionCodec
{
    private const byte Format = 1;
    private const int HeaderSize = 1 + 8 + 8 + 4;
    private const int ItemOverhead = 2 + 4;

    // Room for more is made as they come: the count of a damaged record must not cost memory.
    private const int MostItemsAtFirst = 1024;
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Whether the text can be a key: at most 65,535 bytes of UTF-8, and no lone surrogate, which would come back as another key.</summary>
    public static bool IsKey(string key)
    {
        try
        {
            return key.Length * 3 <= ushort.MaxValue && key.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0
                || StrictUtf8.GetByteCount(key) <= ushort.MaxValue;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }

    /// <summary>Bytes that an item takes in the stored form.</summary>
    public static int SizeOf(string key, byte[] value) => ItemOverhead + Encoding.UTF8.GetByteCount(key) + value.Length;

    /// <summary>Bytes of the encoded form of all items.</summary>
    public static long SizeOf(IReadOnlyDictionary<string, byte[]> items) => HeaderSize + items.Sum(item => (long)SizeOf(item.Key, item.Value));

    /// <summary>Bytes of the encoded form.</summary>
    /// <exception cref="SessionTooLargeException">More than <paramref name="maxBytes"/>.</exception>
    public static long Measure(IReadOnlyDictionary<string, byte[]> items, int maxBytes)
    {
        long size = HeaderSize;
        foreach (var (key, value) in items)
        {
            size += SizeOf(key, value);
        }

        return size <= maxBytes ? size : throw SessionTooLargeException.For(items, size, maxBytes);
    }

    /// <summary>Encodes; the size is checked before anything is allocated.</summary>
    /// <exception cref="SessionTooLargeException">The encoded form would exceed <paramref name="maxBytes"/>.</exception>
    public static byte[] Encode(DateTimeOffset created, DateTimeOffset renewed, IReadOnlyDictionary<string, byte[]> items, int maxBytes)
    {
        var buffer = new byte[Measure(items, maxBytes)];
        var span = buffer.AsSpan();
        span[0] = Format;
        BinaryPrimitives.WriteInt64BigEndian(span[1..], created.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt64BigEndian(span[9..], renewed.ToUnixTimeMilliseconds());
        BinaryPrimitives.WriteInt32BigEndian(span[17..], items.Count);
        span = span[HeaderSize..];
        foreach (var (key, value) in items)
        {
            var keyBytes = StrictUtf8.GetBytes(key, span[2..]);
            BinaryPrimitives.WriteUInt16BigEndian(span, checked((ushort)keyBytes));
            span = span[(2 + keyBytes)..];
            BinaryPrimitives.WriteInt32BigEndian(span, value.Length);
            value.CopyTo(span[4..]);
            span = span[(4 + value.Length)..];
        }

        return buffer;
    }

    /// <summary>Decodes; false for everything that <see cref="Encode"/> does not write. Never throws, never allocates more than the payload justifies.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> payload, out DateTimeOffset created, out DateTimeOffset renewed, out Dictionary<string, byte[]> items)
    {
        (created, renewed, items) = (default, default, []);
        if (payload.Length < HeaderSize || payload[0] != Format
            || !TryReadTime(payload[1..], out created) || !TryReadTime(payload[9..], out renewed))
        {
            return false;
        }

        var count = BinaryPrimitives.ReadInt32BigEndian(payload[17..]);
        payload = payload[HeaderSize..];
        if (count < 0 || count > payload.Length / ItemOverhead)
        {
            return false;
        }

        items = new Dictionary<string, byte[]>(Math.Min(count, MostItemsAtFirst), StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!TryReadItem(ref payload, items))
            {
                return false;
            }
        }

        return payload.IsEmpty;
    }

    private static bool TryReadItem(ref ReadOnlySpan<byte> payload, Dictionary<string, byte[]> items)
    {
        if (payload.Length < ItemOverhead)
        {
            return false;
        }

        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(payload);
        if (payload.Length < ItemOverhead + keyLength)
        {
            return false;
        }

        var keyBytes = payload.Slice(2, keyLength);
        var valueLength = BinaryPrimitives.ReadInt32BigEndian(payload[(2 + keyLength)..]);
        payload = payload[(ItemOverhead + keyLength)..];
        if (valueLength < 0 || valueLength > payload.Length || !System.Text.Unicode.Utf8.IsValid(keyBytes))
        {
            return false;
        }

        var added = items.TryAdd(Encoding.UTF8.GetString(keyBytes), payload[..valueLength].ToArray());
        payload = payload[valueLength..];
        return added;
    }

    private static bool TryReadTime(ReadOnlySpan<byte> bytes, out DateTimeOffset time)
    {
        var milliseconds = BinaryPrimitives.ReadInt64BigEndian(bytes);
        var valid = milliseconds >= 0 && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();
        time = valid ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : default;
        return valid;
    }
}
