using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends.Memory;

/// <summary>Sessions in this process: for development and unit tests. A second instance does not see them, and they end with the process.</summary>
internal sealed class MemorySessionStore(TimeProvider time) : ISessionStore, ISessionAnnouncements
{
    /// <summary>A sweep visits every record, so the next one comes after as many changes as it has left records, and not sooner than this.</summary>
    private const int LeastChangesBetweenSweeps = 256;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, MemoryRecord> _records = new(StringComparer.Ordinal);
    private readonly MemoryClock _clock = new(time);
    private Action<SessionKey, int>? _stale;
    private Action<SessionKey>? _wanted;
    private int _changesToSweep = LeastChangesBetweenSweeps;

    /// <summary>How many records are held, expired ones that no sweep has met included.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _records.Count;
            }
        }
    }

    public void Listen(Action<SessionKey, int> stale) => _stale += stale;

    public void ListenForWanted(Action<SessionKey> wanted) => _wanted += wanted;

    public ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var nodes = _wanted;
        nodes?.Invoke(key);
        return ValueTask.FromResult<int?>(nodes is null ? 0 : nodes.GetInvocationList().Length - 1);
    }

    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = key.Value;
        lock (_gate)
        {
            var now = _clock.Now;
            return ValueTask.FromResult(Find(name, now) switch
            {
                EndedMemoryRecord => SessionRead.Ended,
                LiveMemoryRecord live when live.Version == known => new SessionRead(SessionReadKind.Unchanged, live.ToStored(now, withPayload: false)),
                LiveMemoryRecord live => new SessionRead(SessionReadKind.Found, live.ToStored(now, withPayload: true)),
                _ => SessionRead.Absent,
            });
        }
    }

    public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        SessionWrite.ThrowIfInvalid(write);
        cancellationToken.ThrowIfCancellationRequested();
        var name = key.Value;
        lock (_gate)
        {
            var now = _clock.Now;
            return ValueTask.FromResult(Find(name, now) switch
            {
                EndedMemoryRecord => new SessionWriteResult(SessionWriteKind.Ended, Newer: null),
                LiveMemoryRecord live => WriteOver(key, live, write, now),
                _ when write.Expected.IsNone => Put(name, LiveMemoryRecord.Create(write, now), now),
                _ => new SessionWriteResult(SessionWriteKind.Absent, Newer: null),
            });
        }
    }

    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(idle, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        var name = key.Value;
        lock (_gate)
        {
            var now = _clock.Now;
            if (Find(name, now) is not LiveMemoryRecord live)
            {
                return ValueTask.FromResult(false);
            }

            _records[name] = live.Touch(idle, now);
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(remember, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        var name = key.Value;
        lock (_gate)
        {
            var now = _clock.Now;
            var until = MemoryClock.After(now, remember);

            // A second, shorter deletion does not shorten the memory of the first.
            if (Find(name, now) is not EndedMemoryRecord ended || ended.Expires < until)
            {
                Put(name, new EndedMemoryRecord(until), now);
                _stale?.Invoke(key, int.MaxValue);
            }
        }

        return ValueTask.CompletedTask;
    }

    private SessionWriteResult WriteOver(SessionKey key, LiveMemoryRecord live, SessionWrite write, TimeSpan now)
    {
        if (live.Version == write.Next)
        {
            return new SessionWriteResult(SessionWriteKind.Written, Newer: null);
        }

        if (live.Version == write.Expected)
        {
            if (write.Generation != live.Generation)
            {
                _stale?.Invoke(key, write.Generation);
            }

            return Put(key.Value, live.Update(write, now), now);
        }

        var kind = Array.Exists(live.Writes, done => done.Stamp == write.Next.Stamp) ? SessionWriteKind.Superseded : SessionWriteKind.Conflict;
        return new SessionWriteResult(kind, live.ToStored(now, withPayload: true));
    }

    private SessionWriteResult Put(string name, MemoryRecord record, TimeSpan now)
    {
        _records[name] = record;
        Sweep(now);
        return new SessionWriteResult(SessionWriteKind.Written, Newer: null);
    }

    private MemoryRecord? Find(string name, TimeSpan now)
    {
        if (!_records.TryGetValue(name, out var record))
        {
            return null;
        }

        if (record.Expires > now)
        {
            return record;
        }

        _records.Remove(name);
        return null;
    }

    private void Sweep(TimeSpan now)
    {
        if (--_changesToSweep > 0)
        {
            return;
        }

        foreach (var (name, record) in _records)
        {
            if (record.Expires <= now)
            {
                // Removing while enumerating is allowed for this dictionary.
                _records.Remove(name);
            }
        }

        _changesToSweep = Math.Max(LeastChangesBetweenSweeps, _records.Count);
    }
}
