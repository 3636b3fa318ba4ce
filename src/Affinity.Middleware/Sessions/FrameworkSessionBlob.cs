using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace Affinity.Sessions;

/// <summary>
/// What the framework's session keeps in its cache: <c>02 | count u24 | id 16 bytes | (key length u16, key UTF-8, value length i32, value)*</c>, big-endian. Only read here.
/// Every length is checked against what is there before it is used; anything else is refused whole.
/// </summary>
internal static class FrameworkSessionBlob
{
    private const byte Revision = 2;
    private const int HeaderSize = 1 + 3 + 16;
    private const int ItemOverhead = 2 + 4;
    private const int MostItemsAtFirst = 1024;

    /// <summary>Never throws, never allocates more than the bytes justify.</summary>
    public static bool TryRead(ReadOnlySpan<byte> blob, out Dictionary<string, byte[]> items)
    {
        items = [];
        if (blob.Length < HeaderSize || blob[0] != Revision)
        {
            return false;
        }

        var count = (blob[1] << 16) | (blob[2] << 8) | blob[3];
        var rest = blob[HeaderSize..];
        if (count > rest.Length / ItemOverhead)
        {
            return false;
        }

        items = new Dictionary<string, byte[]>(Math.Min(count, MostItemsAtFirst), StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
        {
            if (!TryReadItem(ref rest, items))
            {
                return false;
            }
        }

        return rest.IsEmpty;
    }

    private static bool TryReadItem(ref ReadOnlySpan<byte> rest, Dictionary<string, byte[]> items)
    {
        if (rest.Length < ItemOverhead)
        {
            return false;
        }

        int keyLength = BinaryPrimitives.ReadUInt16BigEndian(rest);
        if (rest.Length < ItemOverhead + keyLength)
        {
            return false;
        }

        var key = rest.Slice(2, keyLength);
        var valueLength = BinaryPrimitives.ReadInt32BigEndian(rest[(2 + keyLength)..]);
        rest = rest[(ItemOverhead + keyLength)..];
        if (valueLength < 0 || valueLength > rest.Length || !Utf8.IsValid(key))
        {
            return false;
        }

        var added = items.TryAdd(Encoding.UTF8.GetString(key), rest[..valueLength].ToArray());
        rest = rest[valueLength..];
        return added;
    }
}
