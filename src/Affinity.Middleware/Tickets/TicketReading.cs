namespace Affinity.Tickets;

/// <summary>What came of the ticket cookies of a request.</summary>
internal enum TicketVerdict
{
    /// <summary>The visitor has none.</summary>
    None,

    /// <summary>Exactly one ticket is genuine and current.</summary>
    Valid,

    /// <summary>Not ours, damaged, forged or out of date: the visitor is served as one without a ticket, and a new ticket may replace it.</summary>
    Refused,

    /// <summary>It could not be verified through a fault of ours (the keys could not be read). The visitor keeps it; the session counts as out of reach.</summary>
    Unverifiable,
}

/// <summary>The verdict on a request's ticket cookies.</summary>
/// <param name="Verdict">What came of it.</param>
/// <param name="Reason">A short stable word for logs and metrics: <c>none</c>, <c>valid</c>, <c>issued_ahead</c> (valid too), or why not, such as <c>bad_mac</c>.</param>
/// <param name="Ticket">The ticket when it is valid, else null.</param>
internal sealed record TicketReading(TicketVerdict Verdict, string Reason, Ticket? Ticket)
{
    public static readonly TicketReading None = new(TicketVerdict.None, "none", Ticket: null);
}
