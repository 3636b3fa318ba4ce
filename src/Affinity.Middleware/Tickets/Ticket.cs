namespace Affinity.Tickets;

/// <summary>What a visitor proves: which session is theirs and the state of it that they have last seen.</summary>
/// <param name="Session">The session; never default.</param>
/// <param name="Version">A lower bound: the store has this version or a later one.</param>
/// <param name="Generation">The session's generation when the ticket was issued; a raised generation refuses older tickets.</param>
/// <param name="Issued">When, in whole seconds.</param>
/// <param name="IdleUntil">Until when the session lives even if nobody touches it, in whole seconds: before this a missing session is a lost one.</param>
/// <param name="Expires">When the session ends at the latest, in whole seconds; at this moment the ticket is refused.</param>
internal sealed record Ticket(
    SessionId Session, SessionVersion Version, int Generation, DateTimeOffset Issued, DateTimeOffset IdleUntil, DateTimeOffset Expires)
{
    /// <summary>What the session stage has given the visitor to keep, sealed and opaque here; null when there is nothing, never empty. Not to be changed.</summary>
    public byte[]? Journal { get; init; }

    /// <summary>The session itself, where it rides in the ticket, in a form that is the session stage's affair; null when it lies elsewhere, never empty. Not to be changed.</summary>
    public byte[]? Content { get; init; }
}
