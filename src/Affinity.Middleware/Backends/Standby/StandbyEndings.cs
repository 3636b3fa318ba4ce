using Affinity.Sessions;

namespace Affinity.Backends.Standby;

/// <summary>
/// Endings of sessions that the store which is not in use must be told as well. Bounded: beyond that the oldest are forgotten. Those of a node that dies before are lost; such a session may live on until its time has run out in a store that
/// the nodes return to.
/// </summary>
internal sealed class StandbyEndings(TimeProvider time)
{
    private const int MostOwed = 10_000;

    private readonly Lock _gate = new();
    private readonly Dictionary<StandbySite, Queue<(SessionKey Key, long Until)>> _owed = new() { [StandbySite.First] = new(), [StandbySite.Standby] = new() };

    /// <param name="site">Which store has not been told.</param>
    /// <param name="key">Which session.</param>
    /// <param name="remember">For how long from now its ending counts.</param>
    public void Owe(StandbySite site, SessionKey key, TimeSpan remember)
    {
        lock (_gate)
        {
            var owed = _owed[site];
            owed.Enqueue((key, time.GetTimestamp() + (long)(remember.TotalSeconds * time.TimestampFrequency)));
            if (owed.Count > MostOwed)
            {
                owed.Dequeue();
            }
        }
    }

    /// <summary>Tells a store what it is owed, until it fails.</summary>
    public async Task PayAsync(StandbySite site, ISessionStore store, CancellationToken cancellationToken)
    {
        while (Next(site) is { } ending)
        {
            if (time.GetElapsedTime(time.GetTimestamp(), ending.Until) is var left && left > TimeSpan.Zero)
            {
                await store.DeleteAsync(ending.Key, left, cancellationToken);
            }

            lock (_gate)
            {
                // Told twice is fine; the oldest may have been forgotten meanwhile.
                if (_owed[site].TryPeek(out var oldest) && oldest == ending)
                {
                    _owed[site].Dequeue();
                }
            }
        }
    }

    private (SessionKey Key, long Until)? Next(StandbySite site)
    {
        lock (_gate)
        {
            return _owed[site].TryPeek(out var ending) ? ending : null;
        }
    }
}
