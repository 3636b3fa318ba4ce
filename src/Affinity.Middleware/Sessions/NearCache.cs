using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>
/// The sessions that this node has read or saved lately, so that a visitor who stays on it costs no store trip to read. Bounded by bytes; those that were not used for longest go first.
/// Safe for concurrent use: one lock, held for a few lookups, and none to find what is there. Snapshots never change, so requests share them.
/// </summary>
internal sealed class NearCache(SessionsOptions options, TimeProvider time)
{
    // What a snapshot and an item cost beside keys and values.
    private const int SnapshotBytes = 500;
    private const int ItemBytes = 100;
    private const long MostByDefault = 1L << 30;

    // Beyond it the oldest are forgotten; MaxAge bounds what that can cost.
    private const int MaxRefusals = 10_000;

    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<SessionId, LinkedListNode<Entry>> _bySession = new();
    private readonly Dictionary<SessionKey, LinkedListNode<Entry>> _byKey = [];
    private readonly LinkedList<Entry> _byUse = new();
    private readonly long _maxBytes = options.NearCache.MaxBytes ?? Math.Min(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 16, MostByDefault);
    private readonly Dictionary<SessionKey, Refusal> _refused = [];
    private readonly Queue<(SessionKey Key, long At)> _refusals = new();
    private long _bytes;

    /// <summary>How many sessions are remembered.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _bySession.Count;
            }
        }
    }

    /// <summary>How many bytes they take, about.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>What is remembered of a session, however old, unless its time has run out.</summary>
    public bool TryFind(SessionId session, [NotNullWhen(true)] out NearSession? near)
    {
        near = null;
        if (!options.NearCache.Enabled)
        {
            return false;
        }

        if (!_bySession.TryGetValue(session, out var node))
        {
            return false;
        }

        near = node.Value.Near;
        if (near.HasEnded(time.GetUtcNow()))
        {
            near = null;
            DropEnded(node);
            return false;
        }

        MarkUsed(node);
        return true;
    }

    /// <summary>The same by its name in the store. It does not count as a use.</summary>
    public bool TryFind(SessionKey key, out SessionId session, [NotNullWhen(true)] out NearSession? near)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node) && !node.Value.Near.HasEnded(time.GetUtcNow()))
            {
                (session, near) = (node.Value.Session, node.Value.Near);
                return true;
            }
        }

        (session, near) = (default, null);
        return false;
    }

    /// <summary>The names of all that is remembered, those used last first.</summary>
    public SessionKey[] Keys()
    {
        lock (_gate)
        {
            return [.. _byUse.Select(entry => entry.Near.Key)];
        }
    }

    /// <summary>Whether a memory is young enough to answer without the store.</summary>
    public bool IsFresh(NearSession near) => !near.IsInDoubt && time.GetElapsedTime(near.AsOf) < options.NearCache.MaxAge;

    /// <summary>Whether the store's answer to an earlier question also answers a request that has come since: it is young, and the session was neither ended nor renewed meanwhile.</summary>
    public bool MayShare(NearSession near)
    {
        if (!options.NearCache.Enabled || !IsFresh(near))
        {
            return false;
        }

        lock (_gate)
        {
            return !IsRefused(near);
        }
    }

    /// <summary>Whether the session was ended or renewed after this was so, as far as this node was told.</summary>
    public bool WasRefusedSince(NearSession near)
    {
        lock (_gate)
        {
            return IsRefused(near);
        }
    }

    /// <summary>Remembers what the store has said, or what was saved, unless something newer is known.</summary>
    public void Put(SessionId session, NearSession near)
    {
        if (!options.NearCache.Enabled)
        {
            return;
        }

        var bytes = SizeOf(near.Snapshot);
        lock (_gate)
        {
            if (IsRefused(near))
            {
                return;
            }

            if (_bySession.TryGetValue(session, out var node))
            {
                if (!near.Replaces(node.Value.Near))
                {
                    return;
                }

                Drop(node);
            }

            if (bytes > _maxBytes)
            {
                return;
            }

            _bySession[session] = _byKey[near.Key] = _byUse.AddFirst(new Entry(session, near, bytes));
            for (_bytes += bytes; _bytes > _maxBytes;)
            {
                Drop(_byUse.Last!);
            }
        }
    }

    /// <summary>The store has slid the session's idle time, at least to this.</summary>
    public void Slide(SessionKey key, DateTimeOffset idleUntil)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node) && node.Value.Near is var near && near.Snapshot.IdleUntil < idleUntil)
            {
                node.Value.Near = near with { Snapshot = near.Snapshot.KeptUntil(idleUntil) };
            }
        }
    }

    /// <summary>A save ended in a way that leaves open whether it arrived: what is remembered may be old, and only the store can tell.</summary>
    public void Doubt(SessionKey key)
    {
        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node))
            {
                node.Value.Near = node.Value.Near with { IsInDoubt = true };
            }
        }
    }

    /// <summary>Whatever is remembered of a session below a generation is worthless, and so is what is still under way from before now: it has ended, was renewed, or the store has lost it.</summary>
    /// <param name="key">The session's name in the store.</param>
    /// <param name="generation">The first generation that still counts; <see cref="int.MaxValue"/>: none does.</param>
    public void Refuse(SessionKey key, int generation = int.MaxValue)
    {
        if (!options.NearCache.Enabled)
        {
            return;
        }

        lock (_gate)
        {
            if (_byKey.TryGetValue(key, out var node) && node.Value.Near.Snapshot.Generation < generation)
            {
                Drop(node);
            }

            var now = time.GetTimestamp();
            _refused[key] = new Refusal(now, Math.Max(generation, _refused.TryGetValue(key, out var before) ? before.Generation : 0));
            _refusals.Enqueue((key, now));

            // What was asked for so long ago is not fresh any more when it arrives.
            while (_refusals.TryPeek(out var oldest) && (_refusals.Count > MaxRefusals || time.GetElapsedTime(oldest.At, now) > options.NearCache.MaxAge))
            {
                _refusals.Dequeue();
                if (_refused.TryGetValue(oldest.Key, out var refusal) && refusal.At == oldest.At)
                {
                    _refused.Remove(oldest.Key);
                }
            }
        }
    }

    private void DropEnded(LinkedListNode<Entry> node)
    {
        lock (_gate)
        {
            // Meanwhile it may have been dropped, or have been given more time.
            if (node.List is not null && node.Value.Near.HasEnded(time.GetUtcNow()))
            {
                Drop(node);
            }
        }
    }

    /// <summary>Who finds the lock taken passes it by: the order is that of use, about, and no request waits for it.</summary>
    private void MarkUsed(LinkedListNode<Entry> node)
    {
        if (ReferenceEquals(_byUse.First, node) || !_gate.TryEnter())
        {
            return;
        }

        try
        {
            if (node.List is not null)
            {
                _byUse.Remove(node);
                _byUse.AddFirst(node);
            }
        }
        finally
        {
            _gate.Exit();
        }
    }

    private bool IsRefused(NearSession near) =>
        _refused.TryGetValue(near.Key, out var refusal) && near.AsOf <= refusal.At && near.Snapshot.Generation < refusal.Generation;

    private void Drop(LinkedListNode<Entry> node)
    {
        var entry = node.Value;
        _byUse.Remove(node);
        _bySession.TryRemove(entry.Session, out _);
        _byKey.Remove(entry.Near.Key);
        _bytes -= entry.Bytes;
    }

    private static long SizeOf(SessionSnapshot snapshot)
    {
        long bytes = SnapshotBytes;
        foreach (var (key, value) in snapshot.Items)
        {
            bytes += ItemBytes + (key.Length * sizeof(char)) + value.Length;
        }

        return bytes;
    }

    private readonly record struct Refusal(long At, int Generation);

    private sealed class Entry(SessionId session, NearSession near, long bytes)
    {
        private volatile NearSession _near = near;

        public SessionId Session { get; } = session;

        public NearSession Near
        {
            get => _near;
            set => _near = value;
        }

        public long Bytes { get; } = bytes;
    }
}

/// <summary>A session as this node remembers it.</summary>
/// <param name="Key">Its name in the store.</param>
/// <param name="Snapshot">Its state.</param>
/// <param name="AsOf">A timestamp of the time provider from before the store was asked or told: what is remembered is at least as new.</param>
internal sealed record NearSession(SessionKey Key, SessionSnapshot Snapshot, long AsOf)
{
    /// <summary>Whether the store must be asked before this answers.</summary>
    public bool IsInDoubt { get; init; }

    /// <summary>At its deadline a session is gone.</summary>
    public bool HasEnded(DateTimeOffset now) => now >= Snapshot.IdleUntil || now >= Snapshot.Expires;

    /// <summary>A slow read must not hide what was saved meanwhile; and a store that has lost writes is the truth all the same.</summary>
    public bool Replaces(NearSession other) => AsOf > other.AsOf || Snapshot.Version.Counter > other.Snapshot.Version.Counter;

    /// <summary>Whether this is what a ticket promises, or later.</summary>
    public bool Satisfies(Ticket ticket) =>
        Snapshot.Generation == ticket.Generation
        && SessionHistory.Contains(Snapshot.Version, Snapshot.Writes, ticket.Version);
}
