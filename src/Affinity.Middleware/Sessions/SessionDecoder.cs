namespace Affinity.Sessions;

/// <summary>From a stored record to a snapshot.</summary>
internal static class SessionDecoder
{
    /// <exception cref="SessionStoreException">Unreadable: damaged, or of a newer format.</exception>
    public static SessionSnapshot Decode(StoredSession stored, TimeProvider time)
    {
        if (!SessionCodec.TryDecode(stored.Payload.Span, out var created, out var renewed, out var items))
        {
            throw new SessionStoreException(
                SessionStoreFault.Unreadable, "A stored session is damaged or of a newer format than this version of Affinity reads.");
        }

        var now = time.GetUtcNow();
        return new SessionSnapshot
        {
            Version = stored.Version,
            Generation = stored.Generation,
            Created = created,
            Renewed = renewed,
            Items = items,
            IdleUntil = now + stored.Remaining,
            Expires = now + stored.AbsoluteRemaining,
        };
    }
}
