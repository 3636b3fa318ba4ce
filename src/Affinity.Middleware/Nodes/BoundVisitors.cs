using System.Collections.Concurrent;

namespace Affinity.Nodes;

/// <summary>
/// How many different visitors are bound to this node: those whose requests it has served within the window and not sent elsewhere since. Exact up to <see cref="Capacity"/>; beyond that a sample whose rate
/// halves whenever it is full (P. Flajolet, On adaptive sampling, 1990), within about 1 %. Safe for concurrent use.
/// </summary>
/// <param name="window">After this time without a request a visitor counts no more; greater than zero.</param>
/// <param name="time">The clock.</param>
internal sealed class BoundVisitors(TimeSpan window, TimeProvider time)
{
    public const int Capacity = 16_384;

    /// <summary>Whether visitors are bound who are not counted: nothing tells those without a session apart.</summary>
    public bool LeavesSomeOut { get; init; }

    // Reading is free of locks and writing is not: a visitor who comes often is written once in a while.
    private readonly TimeSpan _precision = window / 100;

    private readonly ConcurrentDictionary<uint, long> _lastSeen = new();
    private int _size;
    private volatile int _halvings;

    /// <summary>As of the last <see cref="Sweep"/> and every visitor since.</summary>
    public int Count => Volatile.Read(ref _size) << _halvings;

    /// <summary>This visitor was served and stays.</summary>
    /// <param name="visitor">Uniform over all values, the same for the same visitor.</param>
    public void Stays(uint visitor)
    {
        if (!IsSampled(visitor))
        {
            return;
        }

        var now = time.GetTimestamp();
        if (_lastSeen.TryGetValue(visitor, out var lately) && time.GetElapsedTime(lately, now) < _precision)
        {
            return;
        }

        while (!_lastSeen.TryAdd(visitor, now))
        {
            // Never by the indexer: it would add, uncounted, whoever leaves in this moment.
            if (_lastSeen.TryGetValue(visitor, out var seen) && _lastSeen.TryUpdate(visitor, now, seen))
            {
                return;
            }
        }

        if (Interlocked.Increment(ref _size) > Capacity)
        {
            Halve();
        }
    }

    /// <summary>This visitor was sent elsewhere, or is bound no more.</summary>
    public void Leaves(uint visitor)
    {
        if (_lastSeen.TryRemove(visitor, out _))
        {
            Interlocked.Decrement(ref _size);
        }
    }

    /// <summary>Forgets those who have not been seen for the window.</summary>
    public void Sweep()
    {
        var now = time.GetTimestamp();
        foreach (var visit in _lastSeen)
        {
            // Only as it was seen: a visitor who comes in this moment stays.
            if (time.GetElapsedTime(visit.Value, now) >= window && _lastSeen.TryRemove(visit))
            {
                Interlocked.Decrement(ref _size);
            }
        }

        // A farm that has become quiet is counted exactly again.
        if (_halvings > 0 && _lastSeen.IsEmpty)
        {
            _halvings = 0;
        }
    }

    private bool IsSampled(uint visitor) => (visitor & ((1u << _halvings) - 1)) == 0;

    private void Halve()
    {
        lock (_lastSeen)
        {
            if (Volatile.Read(ref _size) <= Capacity)
            {
                return;
            }

            _halvings++;
            foreach (var (visitor, _) in _lastSeen)
            {
                if (!IsSampled(visitor))
                {
                    Leaves(visitor);
                }
            }
        }
    }
}
