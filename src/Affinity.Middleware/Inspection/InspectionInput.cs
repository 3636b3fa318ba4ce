using Affinity.Tickets;
using Microsoft.Extensions.Primitives;

namespace Affinity.Inspection;

/// <summary>
/// What somebody wants to know about: the value of a cookie alone, or lines of headers. Lines may begin with <c>Cookie:</c> or <c>Set-Cookie:</c>; of the latter the attributes are left out. Without
/// either, a text in which a cookie is named is a line, and anything else is a value.
/// </summary>
/// <param name="Value">The value alone, of a cookie whose name nobody has told; null when there are lines.</param>
/// <param name="Lines">Values of <c>Cookie</c> headers; empty when there is a value.</param>
internal sealed record InspectionInput(string? Value, StringValues Lines)
{
    /// <summary>How many bytes or characters are looked at, at most: what servers take as all headers of a request.</summary>
    public const int MaxLength = 32 * 1024;

    private const string Request = "Cookie:";
    private const string Response = "Set-Cookie:";

    /// <summary>The cookies that a request has brought.</summary>
    public static InspectionInput OfRequest(StringValues header) => new(Value: null, header);

    /// <param name="text">At most <see cref="MaxLength"/> characters of anything.</param>
    public static InspectionInput Parse(string text)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (Array.Exists(lines, line => Begins(line, Request) || Begins(line, Response)))
        {
            return new(Value: null, lines.Select(Unnamed).ToArray());
        }

        return Array.TrueForAll(lines, IsPairs) && lines.Length > 0 ? new(Value: null, lines) : new(text.Trim(), StringValues.Empty);
    }

    /// <summary>The different values of a cookie, as the pipeline finds them.</summary>
    public CookieValues ValuesOf(string name) => CookieValues.Read(Lines, name);

    /// <summary>How many cookies there are, whatever their names.</summary>
    public int CountCookies() => Value is not null ? 1 : Lines.Sum(line => line!.Split(';').Count(pair => pair.Contains('=', StringComparison.Ordinal)));

    private static string Unnamed(string line) =>
        Begins(line, Request) ? line[Request.Length..].Trim()
        : Begins(line, Response) ? line[Response.Length..].Split(';')[0].Trim()
        : line;

    private static bool Begins(string line, string header) => line.StartsWith(header, StringComparison.OrdinalIgnoreCase);

    /// <summary>Padding ends a base64 text; behind the name of a cookie stands something else.</summary>
    private static bool IsPairs(string line) => line.Contains(';', StringComparison.Ordinal) || line.AsSpan().TrimEnd('=').Contains('=');
}
