using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Unicode;

namespace Affinity.Inspection;

/// <summary>What can be told of a value of a session without telling it.</summary>
internal static class InspectedValue
{
    /// <summary>How much of a value is shown.</summary>
    public const int MaxShown = 512;

    /// <summary>A guess from the shape: what the session's own methods write has one.</summary>
    public static string LooksLike(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty)
        {
            return "empty";
        }

        if (IsText(value))
        {
            return value[0] switch
            {
                (byte)'{' => "json object",
                (byte)'[' => "json array",
                (byte)'"' => "json text",
                _ => "text",
            };
        }

        return value.Length == sizeof(int) ? "integer" : "bytes";
    }

    /// <summary>The value for people, cut short.</summary>
    public static string Show(ReadOnlySpan<byte> value)
    {
        if (IsText(value))
        {
            var text = Encoding.UTF8.GetString(value);
            return text.Length <= MaxShown ? text : string.Create(CultureInfo.InvariantCulture, $"{text.AsSpan(0, MaxShown)}… ({text.Length} characters)");
        }

        // What SetInt32 writes.
        return value.Length == sizeof(int)
            ? string.Create(CultureInfo.InvariantCulture, $"{BinaryPrimitives.ReadInt32BigEndian(value)} (0x{Convert.ToHexString(value)})")
            : "0x" + Convert.ToHexString(value.Length <= MaxShown / 2 ? value : value[..(MaxShown / 2)]) + (value.Length <= MaxShown / 2 ? "" : "…");
    }

    private static bool IsText(ReadOnlySpan<byte> value) => Utf8.IsValid(value) && !value.ContainsAnyInRange((byte)0, (byte)8) && !value.ContainsAnyInRange((byte)14, (byte)31);
}
