using Microsoft.Extensions.Primitives;

namespace Affinity.Tickets;

/// <summary>The different texts of a request's ticket: each in one cookie, or joined out of several. Costs nothing beyond <see cref="CookieValues"/> where none is spread.</summary>
internal readonly struct TicketTexts
{
    private readonly CookieValues _values;
    private readonly ChunkJoin[]? _joins;

    private TicketTexts(in CookieValues values, ChunkJoin[]? joins) => (_values, _joins) = (values, joins);

    /// <inheritdoc cref="CookieValues.Count"/>
    public int Count => _values.Count;

    /// <inheritdoc cref="CookieValues.More"/>
    public bool More => _values.More;

    /// <summary>Whether there are later parts of a ticket, but no first one.</summary>
    public bool IsHeadless => _values.Count == 0 && _values.HasNumbered;

    /// <summary>A text; of no meaning where there is a fault.</summary>
    public ReadOnlySpan<char> this[int index] => _joins?[index].Text ?? _values[index].Span;

    /// <summary>Reads them from a request's <c>Cookie</c> header.</summary>
    public static TicketTexts Read(StringValues header, string name)
    {
        var values = CookieValues.Read(header, name);
        ChunkJoin[]? joins = null;
        for (var i = 0; i < values.Count; i++)
        {
            if (TicketChunks.IsHead(values[i].Span))
            {
                joins ??= new ChunkJoin[values.Count];
                joins[i] = TicketChunks.Join(values[i].Span, header, name);
            }
        }

        return new TicketTexts(values, joins);
    }

    /// <summary>Why a text is refused before anybody tries to decode it; null: nothing is wrong yet.</summary>
    public string? FaultOf(int index) =>
        _joins?[index] is { Reason: not null } join ? (join.Text is null ? join.Reason : null)
        : _values[index].Length > TicketChunks.MaxValueLength ? TicketReasons.BadLength
        : null;
}
