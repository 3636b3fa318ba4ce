using System.Globalization;
using System.Text;
using Affinity.Inspection;

namespace Affinity.Tool;

/// <summary>A report for people. Nothing of what it quotes reaches the terminal as a control character.</summary>
internal static class InspectionText
{
    public static string Of(InspectionReport report)
    {
        var text = new StringBuilder();
        foreach (var cookie in report.Cookies)
        {
            Write(text, cookie, report.At);
            text.Append('\n');
        }

        foreach (var note in report.Notes)
        {
            text.Append(Plain(note)).Append('\n');
        }

        text.Append(CultureInfo.InvariantCulture, $"{(report.Valid ? "Valid" : "Not valid")} for the application {Plain(report.Application)} as of {Time(report.At)}.");
        return text.ToString();
    }

    private static void Write(StringBuilder text, InspectedCookie cookie, DateTimeOffset now)
    {
        text.Append(CultureInfo.InvariantCulture, $"{cookie.Is} {Plain(cookie.Name)}: {cookie.Verdict}\n");
        Line(text, "why", cookie.Why);
        Line(text, "do", cookie.Do);
        Line(text, "length", $"{cookie.Length} characters{(cookie.SpreadOver > 1 ? $" out of {cookie.SpreadOver} cookies" : "")}");
        if (cookie.CountedAs is { } counted && !string.Equals(counted, cookie.Verdict, StringComparison.Ordinal))
        {
            Line(text, "counted as", counted);
        }

        if (cookie.Envelope is { } envelope)
        {
            Line(text, "format", $"{envelope.Format}, {envelope.Kind}; {(envelope.Signed ? "the signature is right" : "it says so, and its signature proves nothing")}");
            Line(text, "key", $"{envelope.Key}: {envelope.KeyIs ?? "not known here"}");
        }

        if (cookie.Ticket is { } ticket)
        {
            Write(text, ticket, now);
        }

        if (cookie.Binding is { } binding)
        {
            Line(text, "node", $"{binding.Node}{Lives(binding.Lives)}");
            Line(text, "until", binding.Until is { } until ? At(until, now) : "the browser closes");
            Line(text, "track", binding.TrackUntil is { } trackUntil ? $"{binding.Track}, until {At(trackUntil, now)}" : "none");
            Line(text, "repairs", binding.Repairs.ToString(CultureInfo.InvariantCulture));
        }

        if (cookie.Route is { Node: { } node } route)
        {
            Line(text, "node", $"{node}{Lives(route.Lives)}");
        }

        foreach (var note in cookie.Notes)
        {
            Line(text, "note", note);
        }
    }

    private static void Write(StringBuilder text, InspectedTicket ticket, DateTimeOffset now)
    {
        Line(text, "session", $"fingerprint {ticket.Session}");
        Line(text, "issued", At(ticket.Issued, now));
        Line(text, "idle until", At(ticket.IdleUntil, now));
        Line(text, "expires", At(ticket.Expires, now));
        Line(text, "version", $"{ticket.Version}, generation {ticket.Generation}");
        if (ticket.Content is { } content)
        {
            Line(text, "content", $"{content.Bytes} bytes, {content.Form}, {content.State}{(content.Why is { } whyNot ? ": " + whyNot : "")}");
            foreach (var item in content.Items ?? [])
            {
                Line(text, "", "  " + Item(item));
            }
        }

        if (ticket.Journal is not { } journal)
        {
            return;
        }

        Line(text, "journal", $"{journal.SealedBytes} encrypted bytes, {journal.State}{(journal.Why is { } why ? ": " + why : "")}");
        foreach (var (entry, i) in (journal.Entries ?? []).Select((entry, i) => (entry, i)))
        {
            Line(text, "", $"save {i + 1} on version {entry.On}{(entry.SignsIn ? ", signs in" : "")}{(entry.Clears ? ", clears" : "")}{(entry.Joined > 0 ? $", with {entry.Joined} earlier ones" : "")}");
            foreach (var change in entry.Changes)
            {
                Line(text, "", "  " + Item(change));
            }
        }
    }

    private static string Item(InspectedItem item) => string.Create(CultureInfo.InvariantCulture,
        $"{item.Key}: {(item.Bytes is { } bytes ? $"{bytes} bytes, {item.LooksLike}" : "removed")}{(item.Value is { } value ? " = " + value : "")}");

    private static void Line(StringBuilder text, string label, string? value)
    {
        if (value is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {label,-11}{Plain(value)}\n");
        }
    }

    private static string Lives(bool? lives) => lives switch { true => ", lives", false => ", does not live", null => "" };

    private static string At(DateTimeOffset time, DateTimeOffset now) => time <= now ? $"{Time(time)}, {Span(now - time)} ago" : $"{Time(time)}, in {Span(time - now)}";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The two largest units.</summary>
    private static string Span(TimeSpan span) => span switch
    {
        { Days: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{span.Days} d {span.Hours} h"),
        { Hours: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{span.Hours} h {span.Minutes} min"),
        { Minutes: > 0 } => string.Create(CultureInfo.InvariantCulture, $"{span.Minutes} min {span.Seconds} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{span.Seconds} s"),
    };

    /// <summary>Without what a terminal would obey, and what turns text around.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            if (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                plain.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:X4}");
            }
            else
            {
                plain.Append(rune.ToString());
            }
        }

        return plain.ToString();
    }
}
