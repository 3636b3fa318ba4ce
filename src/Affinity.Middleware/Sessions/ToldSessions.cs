using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What has been told of which session, so that a visitor's many requests do not fill the log with one thing. Bounded: the oldest are forgotten, and would be told again. Safe for concurrent use.</summary>
internal sealed class ToldSessions
{
    private const int MaxTold = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<SessionId, SessionVersion> _told = [];
    private readonly Queue<SessionId> _byAge = new();

    /// <summary>Whether this was told already.</summary>
    public bool Contains(SessionId session, SessionVersion seen)
    {
        lock (_gate)
        {
            return _told.TryGetValue(session, out var told) && told == seen;
        }
    }

    /// <summary>Whether it has not been told; from now on it has.</summary>
    public bool Add(SessionId session, SessionVersion seen)
    {
        lock (_gate)
        {
            if (_told.TryGetValue(session, out var told) && told == seen)
            {
                return false;
            }

            if (_told.TryAdd(session, seen))
            {
                _byAge.Enqueue(session);
                if (_byAge.Count > MaxTold)
                {
                    _told.Remove(_byAge.Dequeue());
                }
            }
            else
            {
                _told[session] = seen;
            }

            return true;
        }
    }
}
