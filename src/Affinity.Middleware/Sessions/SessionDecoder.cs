using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>From a stored record to a snapshot.</summary>
internal static class SessionDecoder
{
    // What a session can have come to by writes and sign-ins. A number beyond it was made up, and the next one might overflow.
    private const ulong MostWrites = 1UL << 62;
    private const int MostGenerations = 1 << 30;

    /// <param name="stored">The record.</param>
    /// <param name="time">The clock of this node.</param>
    /// <param name="asOf">A timestamp of it from before the store was asked; without it, of now. What is left to the session is counted from then, so that it ends here before it ends there, however slow the answer was.</param>
    /// <exception cref="SessionStoreException">Unreadable: damaged, or of a newer format.</exception>
    public static SessionSnapshot Decode(StoredSession stored, TimeProvider time, long? asOf = null)
    {
        if (!IsPlausible(stored) || !SessionCodec.TryDecode(stored.Payload.Span, out var created, out var renewed, out var items))
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
            Writes = Rising(stored),
        };
    }

    private static bool IsPlausible(StoredSession stored) =>
        stored.Version is { Counter: > 0 and <= MostWrites, Stamp: not 0 } && stored.Generation is >= 0 and <= MostGenerations;

    /// <summary>The last writes as far as they can be the record's: what is damaged of them is left out, as they tell histories apart and the record stands without them.</summary>
    private static IReadOnlyList<SessionVersion> Rising(StoredSession stored)
    {
        var before = 0UL;
        foreach (var write in stored.Writes)
        {
            if (write.Counter <= before || write.Stamp == 0 || write.Counter > stored.Version.Counter || (write.Counter == stored.Version.Counter && write != stored.Version))
            {
                return [stored.Version];
            }

            before = write.Counter;
        }

        return stored.Writes;
    }
}
