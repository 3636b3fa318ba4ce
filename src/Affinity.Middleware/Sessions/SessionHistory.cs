using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>How one version of a session lies to another.</summary>
internal enum SessionKinship
{
    /// <summary>It is the same, or came of it, as far as can be known.</summary>
    Later,

    /// <summary>The other one came of it.</summary>
    Earlier,

    /// <summary>Both came of an earlier one: whoever holds it knows nothing of the other. Also when an earlier one cannot be shown to be an ancestor.</summary>
    Beside,
}

/// <summary>Tells what comes before from what comes beside it, by the last writes that led to a version. A store that has lost writes and was written since holds another history than a node remembers.</summary>
internal static class SessionHistory
{
    /// <summary>The history of what is written on top, by one write that may stand for several, oldest first: the newest <see cref="SessionWrite.RememberedWrites"/>.</summary>
    public static SessionVersion[] Append(SessionSnapshot before, params ReadOnlySpan<SessionVersion> next)
    {
        IReadOnlyList<SessionVersion> writes = before.Writes.Count > 0 || before.Version.IsNone ? before.Writes : [before.Version];
        var kept = Math.Min(writes.Count, SessionWrite.RememberedWrites - next.Length);
        var result = new SessionVersion[kept + next.Length];
        for (var i = 0; i < kept; i++)
        {
            result[i] = writes[writes.Count - kept + i];
        }

        next.CopyTo(result.AsSpan(kept));
        return result;
    }

    /// <summary>What a store that has one version must be told to remember when it is given a later one.</summary>
    public static IReadOnlyList<SessionVersion> Between(SessionVersion expected, IReadOnlyList<SessionVersion> writes, SessionVersion next) =>
        [.. writes.Where(write => write.Counter > expected.Counter && write.Counter < next.Counter).TakeLast(SessionWrite.RememberedWrites - 1)];

    /// <summary>Whether a state with these writes contains what a version stands for. A write that is too old to be remembered, or was made on a store that lost it for a while, counts as contained.</summary>
    public static bool Contains(SessionVersion newest, IReadOnlyList<SessionVersion> writes, SessionVersion version)
    {
        if (newest.Counter <= version.Counter)
        {
            return newest == version;
        }

        for (var i = writes.Count - 1; i >= 0; i--)
        {
            if (writes[i].Counter == version.Counter)
            {
                return writes[i].Stamp == version.Stamp;
            }
        }

        return true;
    }

    /// <summary>How what the store has lies to what a node knows.</summary>
    public static SessionKinship Of(SessionSnapshot stored, SessionSnapshot known) =>
        Contains(stored.Version, stored.Writes, known.Version) ? SessionKinship.Later
        : known.Writes.Contains(stored.Version) ? SessionKinship.Earlier
        : SessionKinship.Beside;
}
