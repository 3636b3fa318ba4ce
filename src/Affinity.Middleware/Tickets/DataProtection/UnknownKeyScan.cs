using System.Buffers;
using System.Buffers.Text;
using Microsoft.Extensions.Primitives;

namespace Affinity.Tickets;

/// <summary>Finds the Data Protection key ids that a request's cookies name. Pure; costs one vectorised search per header line without protected values.</summary>
internal static class UnknownKeyScan
{
    /// <summary>How every protected payload begins in base64: the magic header 09 F0 C9 F0.</summary>
    private const string Mark = "CfDJ8";

    /// <summary>28 characters are 21 bytes: the magic header (4), the key id (16) and one more.</summary>
    private const int Length = 28;

    /// <summary>More distinct unknown keys than this in one request are not an honest client's.</summary>
    private const int Max = 8;

    /// <summary>The distinct ids for which <paramref name="isUnknown"/> answers true, at most 8; null for none. Duplicates, chunks and percent-encoded base64 are all looked at.</summary>
    public static List<Guid>? Find(StringValues cookieHeader, Func<Guid, bool> isUnknown)
    {
        List<Guid>? found = null;
        foreach (var line in cookieHeader)
        {
            var rest = line.AsSpan();
            for (var at = rest.IndexOf(Mark, StringComparison.Ordinal); at >= 0; at = rest.IndexOf(Mark, StringComparison.Ordinal))
            {
                rest = rest[at..];
                if (TryReadKeyId(rest, out var id) && found?.Contains(id) != true && isUnknown(id))
                {
                    (found ??= []).Add(id);
                    if (found.Count == Max)
                    {
                        return found;
                    }
                }

                rest = rest[Mark.Length..];
            }
        }

        return found;
    }

    /// <summary>Reads the id at the start of a protected text in base64 or base64url, percent-encoded or not.</summary>
    public static bool TryReadKeyId(ReadOnlySpan<char> text, out Guid id)
    {
        id = default;
        Span<char> canonical = stackalloc char[Length];
        for (var i = 0; i < Length; i++)
        {
            if (!TryTake(ref text, out canonical[i]))
            {
                return false;
            }
        }

        Span<byte> bytes = stackalloc byte[Length / 4 * 3];
        if (Base64Url.DecodeFromChars(canonical, bytes, out _, out var written) != OperationStatus.Done
            || written != bytes.Length || !bytes.StartsWith((ReadOnlySpan<byte>)[0x09, 0xF0, 0xC9, 0xF0]))
        {
            return false;
        }

        id = new Guid(bytes.Slice(4, 16));
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<char> text, out char c)
    {
        c = text.IsEmpty ? '\0' : text[0];
        var taken = 1;
        if (c == '%')
        {
            c = text.StartsWith("%2B", StringComparison.OrdinalIgnoreCase) ? '+' : text.StartsWith("%2F", StringComparison.OrdinalIgnoreCase) ? '/' : '\0';
            taken = 3;
        }

        c = c switch { '+' => '-', '/' => '_', _ => c };
        if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_'))
        {
            return false;
        }

        text = text[taken..];
        return true;
    }
}
