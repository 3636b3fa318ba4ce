using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>
/// Learns when what the store has acknowledged has reached a replica, by one question at a time for all sessions of this node, asked only while somebody waits for it (<see cref="SessionDurability.Replicated"/>). Bounded; the oldest
/// are forgotten first and begin to wait anew. Safe for concurrent use.
/// </summary>
internal sealed class ReplicationWatch(ISessionStore store, TimeProvider time)
{
    private const int Most = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<SessionId, Waiting> _waiting = [];
    private readonly Queue<(SessionId Session, ulong Stamp)> _byAge = new();
    private long _confirmed = long.MinValue;
    private bool _isAsking;

    /// <summary>Whether a write of a session is known to be replicated. If it is not, that is asked in the background, for the next time.</summary>
    /// <param name="session">Whose.</param>
    /// <param name="stamp">The write's; the store has acknowledged it.</param>
    public bool IsReplicated(SessionId session, ulong stamp)
    {
        lock (_gate)
        {
            if (!_waiting.TryGetValue(session, out var waiting) || waiting.Stamp != stamp)
            {
                Add(session, stamp);
            }
            else if (waiting.Since < _confirmed)
            {
                _waiting.Remove(session);
                return true;
            }

            if (!_isAsking)
            {
                _isAsking = true;
                _ = AskAsync();
            }

            return false;
        }
    }

    private void Add(SessionId session, ulong stamp)
    {
        _waiting[session] = new Waiting(stamp, time.GetTimestamp());
        _byAge.Enqueue((session, stamp));
        while (_byAge.Count > Most)
        {
            var (oldest, its) = _byAge.Dequeue();
            if (_waiting.TryGetValue(oldest, out var waiting) && waiting.Stamp == its)
            {
                _waiting.Remove(oldest);
            }
        }
    }

    private async Task AskAsync()
    {
        // Not under the lock, and after everything that waits by now.
        await Task.Yield();
        var asked = time.GetTimestamp();
        var isReplicated = false;
        try
        {
            isReplicated = await store.IsReplicatedAsync(CancellationToken.None);
        }
        catch (SessionStoreException)
        {
            // It is away: whoever waits goes on waiting, and what their tickets carry stays there.
        }
        finally
        {
            lock (_gate)
            {
                _confirmed = isReplicated ? asked : _confirmed;
                _isAsking = false;
            }
        }
    }

    private readonly record struct Waiting(ulong Stamp, long Since);
}
