namespace Affinity.Sessions;

/// <summary>
/// Tells every node at once which sessions were ended or renewed, so that none goes on answering from memory; and which are missing, so that whoever remembers one gives it back. A backend's session store announces as part of the ending itself.
/// An announcement may be lost, come late or come twice: what rests on it is bounded by time as well.
/// </summary>
public interface ISessionAnnouncements
{
    /// <summary>
    /// From now on, for the life of the process, calls <paramref name="stale"/> for each session that any node ends or renews, this one included. While the backend is away nothing is heard;
    /// when it is back, announcements are heard again without another call. Never throws for want of the backend.
    /// </summary>
    /// <param name="stale">Given the session and the first generation that still counts, <see cref="int.MaxValue"/> when the session has ended. Called concurrently; must be quick and must not throw.</param>
    void Listen(Action<SessionKey, int> stale);

    /// <summary>The same for sessions that a node misses, see <see cref="AskAsync"/>.</summary>
    /// <param name="wanted">Given the session. Called concurrently; must be quick and must not throw.</param>
    void ListenForWanted(Action<SessionKey> wanted);

    /// <summary>Asks all nodes for a session that the store has lost: who remembers it gives it back to the store. Never throws for want of the backend.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>How many nodes beside this one have heard; null: nobody can say. Nodes that have just lost their connection have not, so it is asked again until all have.</returns>
    ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken);
}
