using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Affinity.Tickets;

/// <summary>
/// A ticket's text that is longer than one cookie may be, spread over several:
/// <code>
/// name   = .N.text…     N, 2 to 4, is how many there are; no base64url text begins with a dot
/// name-2 = …text…
/// name-N = …text
/// </code>
/// Joining is all or nothing, and what it gives counts for nothing until its one MAC is verified: parts of two tickets (the browser stored half of each of two parallel responses) or parts in another order do not verify.
/// Cookies beyond N are left over from a longer ticket and ignored.
/// </summary>
internal static class TicketChunks
{
    /// <summary>How many cookies there are at most.</summary>
    public const int Max = 4;

    /// <summary>The longest that one of them becomes, name and value with the <c>=</c>. Browsers keep 4,096 characters, of which the attributes take up to 46.</summary>
    public const int MaxCookieLength = 4050;

    /// <summary>The longest value that is looked at.</summary>
    public const int MaxValueLength = 4096;

    private const char Mark = '.';
    private const int MarkLength = 3;
    private const int SuffixLength = 2;

    /// <summary>Whether a value of the ticket's cookie says that there are more.</summary>
    public static bool IsHead(ReadOnlySpan<char> value) => value is [Mark, ..];

    /// <summary>The name of the second cookie and of those behind it.</summary>
    public static string NameOf(string name, int number) => string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");

    /// <summary>The longest text whose cookies, names and values together, have at most so many characters.</summary>
    public static int Capacity(string name, int maxBytes)
    {
        var most = 0;
        for (var count = 1; count <= Max; count++)
        {
            most = Math.Max(most, Math.Min(maxBytes, count * MaxCookieLength) - Overhead(name, count));
        }

        return most;
    }

    /// <summary>The cookies that carry a text: as few as possible, each but the last one full.</summary>
    /// <exception cref="InvalidOperationException">It has no room in <see cref="Max"/> cookies.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> Spread(string name, string text)
    {
        var count = 1;
        while (text.Length > (count * MaxCookieLength) - Overhead(name, count))
        {
            count = count < Max ? count + 1 : throw new InvalidOperationException("The ticket is longer than its cookies may be (Affinity:Ticket:MaxBytes).");
        }

        if (count == 1)
        {
            return [new(name, text)];
        }

        var cookies = new KeyValuePair<string, string>[count];
        var rest = text.AsSpan();
        for (var number = 1; number <= count; number++)
        {
            var cookie = number == 1 ? name : NameOf(name, number);
            var mark = number == 1 ? string.Create(CultureInfo.InvariantCulture, $"{Mark}{count}{Mark}") : "";
            var part = rest[..Math.Min(rest.Length, MaxCookieLength - cookie.Length - 1 - mark.Length)];
            cookies[number - 1] = new(cookie, string.Concat(mark, part));
            rest = rest[part.Length..];
        }

        return cookies;
    }

    /// <summary>Puts together what a head and the cookies behind it hold. Never throws; looks at no more than <see cref="Max"/> cookies.</summary>
    /// <param name="head">A value of the cookie <paramref name="name"/> for which <see cref="IsHead"/> is true.</param>
    /// <param name="header">The request's <c>Cookie</c> header, raw.</param>
    /// <param name="name">The ticket's cookie.</param>
    public static ChunkJoin Join(ReadOnlySpan<char> head, StringValues header, string name)
    {
        // One digit, so that no number has two forms.
        if (head is not [Mark, >= '2' and <= (char)('0' + Max), Mark, .. var text])
        {
            return ChunkJoin.Refused(TicketReasons.ChunkCount);
        }

        if (head.Length > MaxValueLength)
        {
            return ChunkJoin.Refused(TicketReasons.BadLength);
        }

        var joined = text.ToString();
        for (var number = 2; number <= head[1] - '0'; number++)
        {
            var values = CookieValues.Read(header, NameOf(name, number));
            if (values.Count != 1 || values[0].Length is 0 or > MaxValueLength)
            {
                return ChunkJoin.Refused(values.Count > 1 ? TicketReasons.ChunkAmbiguous
                    : values.Count == 0 || values[0].Length == 0 ? TicketReasons.ChunkMissing
                    : TicketReasons.BadLength);
            }

            joined = string.Concat(joined, values[0].Span);
        }

        return new ChunkJoin(TicketReasons.Valid, joined);
    }

    private static int Overhead(string name, int count) =>
        (count * (name.Length + 1)) + (count == 1 ? 0 : MarkLength + ((count - 1) * SuffixLength));
}

/// <summary>What came of joining the cookies of one ticket.</summary>
/// <param name="Reason">One of <see cref="TicketReasons"/>: <see cref="TicketReasons.Valid"/> when all are there, which says nothing yet of the ticket.</param>
/// <param name="Text">The whole text when all are there, else null.</param>
internal readonly record struct ChunkJoin(string Reason, string? Text)
{
    public static ChunkJoin Refused(string reason) => new(reason, Text: null);
}
