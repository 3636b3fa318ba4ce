using Microsoft.AspNetCore.Http;

namespace Affinity.Tickets;

/// <summary>The visitor's ticket on its way through one request: what was read, and what the response is to carry.</summary>
internal sealed class TicketFeature(TicketReading reading, HttpResponse response)
{
    /// <summary>The response of the same request.</summary>
    public HttpResponse Response { get; } = response;

    /// <summary>What the request proved.</summary>
    public TicketReading Reading { get; } = reading;

    /// <summary>The ticket that the response carries; null for none. The last one set before the first byte wins.</summary>
    public Ticket? ToIssue { get; private set; }

    /// <summary>Whether the response removes the visitor's ticket.</summary>
    public bool ToRemove { get; private set; }

    /// <summary>The session that the visitor has when the response starts, as far as it can be verified; null: none.</summary>
    public SessionId? Session => ToRemove ? null : (ToIssue ?? Reading.Ticket)?.Session;

    public void Issue(Ticket ticket) => (ToIssue, ToRemove) = (ticket, false);

    public void Remove() => (ToIssue, ToRemove) = (null, true);
}
