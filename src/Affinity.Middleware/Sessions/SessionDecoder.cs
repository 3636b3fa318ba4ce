namespace Affinity.Sessions;

/// <summary>From a stored record to a snapshot.</summary>
internal static class SessionDecoder
{
    /// <param name="stored">The record.</param>
    /// <param name="time">The clock of this node.</param>
    /// <param name="asOf">A timestamp of it from before the store was asked; without it, of now. What is left to the session is counted from then, so that it ends here before it ends there, however slow the answer was.</param>
    /// <exception cref="SessionStoreException">Unreadable: damaged, or of a newer format.</exception>
    public static SessionSnapshot Decode(StoredSession stored, TimeProvider time, long? asOf = null)
    {
        if (!SessionCodec.TryDecode(stored.Payload.Span, out var created, out var renewed, out var items))
        {
            throw new SessionStoreException(
                SessionStoreFault.Unreadable, "A stored session is damaged or of a newer format than this version of Affinity reads.");
        }

        var asked = time.GetUtcNow() - (asOf is { } at ? time.GetElapsedTime(at) : TimeSpan.Zero);
        return new SessionSnapshot
        {
            Version = stored.Version,
            Generation = stored.Generation,
            Created = created,
            Renewed = renewed,
            Items = items,
            IdleUntil = asked + stored.Remaining,
            Expires = asked + stored.AbsoluteRemaining,
            Writes = stored.Writes,
        };
    }
}
