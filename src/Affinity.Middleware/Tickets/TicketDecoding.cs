namespace Affinity.Tickets;

/// <summary>What one text turned out to be.</summary>
/// <param name="Reason">One of <see cref="TicketReasons"/>.</param>
/// <param name="Ticket">The ticket when the reason is <see cref="TicketReasons.Valid"/> or <see cref="TicketReasons.IssuedAhead"/>, else null.</param>
/// <param name="UnknownKey">Which key it names when the reason is <see cref="TicketReasons.UnknownKey"/>, else null.</param>
/// <param name="Key">The key that has signed the ticket, when there is one.</param>
internal readonly record struct TicketDecoding(string Reason, Ticket? Ticket = null, SigningKeyId? UnknownKey = null, SigningKey? Key = null)
{
    public static TicketDecoding Refused(string reason) => new(reason);
}
