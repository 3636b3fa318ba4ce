using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>A record as the store holds it.</summary>
/// <param name="Version">Which state this is; never None.</param>
/// <param name="Generation">Raised at sign-in; tickets of an older one are refused. 0 at first.</param>
/// <param name="Payload">Opaque; empty in an <see cref="SessionReadKind.Unchanged"/> answer.</param>
/// <param name="Remaining">How long until the store forgets it, if nobody touches it; greater than zero.</param>
/// <param name="AbsoluteRemaining">How long until it ends however often it is touched; at least <paramref name="Remaining"/>.</param>
public sealed record StoredSession(
    SessionVersion Version, int Generation, ReadOnlyMemory<byte> Payload, TimeSpan Remaining, TimeSpan AbsoluteRemaining)
{
    /// <summary>
    /// The last writes that led to this, at most <see cref="SessionWrite.RememberedWrites"/>, oldest first, <see cref="Version"/> last. They tell what comes before from what comes beside it.
    /// Empty in an <see cref="SessionReadKind.Unchanged"/> answer.
    /// </summary>
    public IReadOnlyList<SessionVersion> Writes { get; init; } = [];

    /// <summary>
    /// How long before the answer, at most, whoever decides about the session still said so: a copy that answers tells its age, so that nobody takes an old answer for a fresh one. Zero (the default): it is the decider's own answer.
    /// </summary>
    public TimeSpan Age { get; init; }
}

/// <summary>What a read found.</summary>
public enum SessionReadKind
{
    /// <summary>Nothing: never written, expired, evicted or lost.</summary>
    Absent,

    /// <summary>The session was deleted and that is still remembered.</summary>
    Ended,

    /// <summary>The record, with its payload.</summary>
    Found,

    /// <summary>The record is of the version that the caller knows; without payload.</summary>
    Unchanged,
}

/// <summary>The answer of <see cref="ISessionStore.ReadAsync"/>.</summary>
/// <param name="Kind">What was found.</param>
/// <param name="Session">The record for Found and Unchanged, else null.</param>
public readonly record struct SessionRead(SessionReadKind Kind, StoredSession? Session)
{
    /// <summary>Nothing there.</summary>
    public static SessionRead Absent => default;

    /// <summary>Deleted.</summary>
    public static SessionRead Ended => new(SessionReadKind.Ended, Session: null);
}

/// <summary>One conditional write.</summary>
/// <param name="Expected">The version that the record must have; None to create.</param>
/// <param name="Next"><c>Expected.Next()</c>: the counter one higher, a new stamp. To give back what the store has lost: a later version that came of Expected.</param>
/// <param name="Generation">Zero or more; stored as given.</param>
/// <param name="Payload">The whole new payload.</param>
/// <param name="Idle">Idle limit from now; greater than zero.</param>
/// <param name="Absolute">Absolute limit from now; greater than zero. Counts when the record is created, later ones are ignored.</param>
public readonly record struct SessionWrite(
    SessionVersion Expected, SessionVersion Next, int Generation, ReadOnlyMemory<byte> Payload, TimeSpan Idle, TimeSpan Absolute)
{
    /// <summary>How many of its last writes a record remembers, the newest included, so that a repeated write is recognised although others have written since.</summary>
    public const int RememberedWrites = 16;

    /// <summary>
    /// Only where lost writes are given back: those between Expected and Next that led to it, oldest first, at most <see cref="RememberedWrites"/> - 1. They are remembered as if they had been written one by one.
    /// </summary>
    public IReadOnlyList<SessionVersion> Between { get => field ?? []; init; }

    /// <summary>Checks the shape that every backend may rely on.</summary>
    /// <exception cref="ArgumentException">The versions do not follow one another, or a number is out of range.</exception>
    public static void ThrowIfInvalid(SessionWrite write)
    {
        var (expected, next) = (write.Expected, write.Next);
        if (next.Counter <= expected.Counter || next.Stamp == 0 || expected.IsNone != (expected.Stamp == 0))
        {
            throw new ArgumentException("Next must follow Expected: a higher counter and a stamp that is not 0.", nameof(write));
        }

        var before = expected;
        foreach (var between in write.Between)
        {
            if (between.Counter <= before.Counter || between.Counter >= next.Counter || between.Stamp == 0 || write.Between.Count >= RememberedWrites)
            {
                throw new ArgumentException("What lies between must rise from Expected to Next, and be fewer than are remembered.", nameof(write));
            }

            before = between;
        }

        if (write.Generation < 0 || write.Idle <= TimeSpan.Zero || write.Absolute <= TimeSpan.Zero)
        {
            throw new ArgumentException("The generation must not be negative, and both limits must be greater than zero.", nameof(write));
        }
    }
}

/// <summary>What became of a write.</summary>
public enum SessionWriteKind
{
    /// <summary>The record is now what was given.</summary>
    Written,

    /// <summary>It was written by an earlier try of the same write, and others have written since: the newer record is in the answer.</summary>
    Superseded,

    /// <summary>The record has another version; nothing was written; the newer record is in the answer.</summary>
    Conflict,

    /// <summary>The session was deleted; nothing was written.</summary>
    Ended,

    /// <summary>There is no record to update: expired, evicted or lost; nothing was written.</summary>
    Absent,
}

/// <summary>The answer of <see cref="ISessionStore.WriteAsync"/>.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Newer">The record as it is, for Conflict and Superseded; else null.</param>
public readonly record struct SessionWriteResult(SessionWriteKind Kind, StoredSession? Newer);
