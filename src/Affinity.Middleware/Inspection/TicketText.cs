using Affinity.Tickets;
using Microsoft.Extensions.Primitives;

namespace Affinity.Inspection;

/// <summary>A text that ought to be a ticket's, in one cookie or put together out of several.</summary>
/// <param name="Text">The whole text, or, with a fault, what there is of it.</param>
/// <param name="SpreadOver">How many cookies it is said to be in.</param>
/// <param name="Fault">Why it is refused before anybody decodes it, in the words of <see cref="TicketReasons"/>; null: nothing is wrong yet.</param>
internal sealed record TicketText(string Text, int SpreadOver, string? Fault)
{
    /// <summary>The value of one cookie, without those that may belong to it.</summary>
    public static TicketText Alone(string value) => new(
        value,
        AnnouncedBy(value),
        TicketChunks.IsHead(value) ? TicketChunks.Join(value, StringValues.Empty, "").Reason
        : value.Length > TicketChunks.MaxValueLength ? TicketReasons.BadLength
        : null);

    /// <summary>What a request's header holds, as the pipeline reads it.</summary>
    public static IReadOnlyList<TicketText> Of(StringValues header, string name)
    {
        var (values, texts) = (CookieValues.Read(header, name), TicketTexts.Read(header, name));
        if (texts.IsHeadless)
        {
            return [new("", SpreadOver: TicketChunks.Max, TicketReasons.ChunkMissing)];
        }

        var found = new TicketText[values.Count];
        for (var i = 0; i < found.Length; i++)
        {
            var fault = texts.FaultOf(i);
            found[i] = new(fault is null ? texts[i].ToString() : values[i].ToString(), AnnouncedBy(values[i].Span), fault);
        }

        return found;
    }

    /// <summary>As many as no ticket has count as one.</summary>
    private static int AnnouncedBy(ReadOnlySpan<char> value) => value is ['.', >= '2' and <= (char)('0' + TicketChunks.Max), '.', ..] ? value[1] - '0' : 1;
}
