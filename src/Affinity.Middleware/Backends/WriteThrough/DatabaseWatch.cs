using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;
using Polly.CircuitBreaker;

namespace Affinity.Backends.WriteThrough;

/// <summary>
/// Whether the database answers reads. After a fault whoever holds a copy does without it; after several in a row nobody waits for it but one read per pause. Safe for concurrent use.
/// </summary>
internal sealed class DatabaseWatch(TimeProvider time, ILogger logger)
{
    private const int FaultsInARow = 3;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private int _faults;
    private long _until;

    /// <summary>Whether it failed when it was asked last.</summary>
    public bool IsAway => Volatile.Read(ref _faults) > 0;

    /// <summary>Whether to ask it. Of an absent one, one caller per pause may.</summary>
    public bool MayAsk()
    {
        if (!IsAway)
        {
            return true;
        }

        lock (_gate)
        {
            if (time.GetTimestamp() < _until)
            {
                return false;
            }

            _until = time.GetTimestamp() + Ticks(Pause);
            return true;
        }
    }

    /// <summary>For a read that no copy can answer: one fault may be of one connection, several are of the database.</summary>
    /// <exception cref="SessionStoreException">It is left alone for a moment; in the form by which the session stage knows that.</exception>
    public void ThrowIfLeftAlone()
    {
        if (Volatile.Read(ref _faults) >= FaultsInARow && !MayAsk())
        {
            throw new SessionStoreException(SessionStoreFault.NotApplied, "The database behind the cache keeps failing and is left alone for a moment.", new BrokenCircuitException());
        }
    }

    public void Answered()
    {
        if (IsAway)
        {
            lock (_gate)
            {
                if (_faults >= FaultsInARow)
                {
                    logger.SessionDatabaseBack();
                }

                _faults = 0;
            }
        }
    }

    public void Failed(string reason)
    {
        lock (_gate)
        {
            _until = time.GetTimestamp() + Ticks(Pause * (0.75 + (Random.Shared.NextDouble() / 4)));
            if (++_faults == FaultsInARow)
            {
                logger.SessionDatabaseAway(reason);
            }
        }
    }

    private long Ticks(TimeSpan duration) => (long)(duration.TotalSeconds * time.TimestampFrequency);
}
