using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.WriteThrough;

/// <summary>
/// Any cache, guarded: no call of it fails, and none takes longer than its time limit. One that did not answer is left alone, and asked in the background until it does: of a frozen cache the requests that are under way
/// wait once, and later ones do not notice it. A breaker of the usual kind needs several failures to open, and then lets a request wait for its trial.
/// </summary>
internal sealed class GuardedSessionCache(ISessionCache inner, TimeSpan limit, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan TrialLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RefusalIsTold = TimeSpan.FromMinutes(1);

    private int _isAway;
    private int _hasAnswered;
    private long _refusalToldAt;

    /// <summary>A moment for what the database is asked next.</summary>
    public long Now => inner.Now;

    /// <summary>Whether it is left alone.</summary>
    public bool IsAway => Volatile.Read(ref _isAway) != 0;

    /// <summary>Absent when it does not answer.</summary>
    public async ValueTask<CachedSession> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        var read = CachedSession.Absent;
        if (!IsAway && await TryAsync(async token => read = await inner.ReadAsync(key, known, token), key, cancellationToken))
        {
            return read;
        }

        cancellationToken.ThrowIfCancellationRequested();
        return CachedSession.Absent;
    }

    /// <summary>Tells it what happened, if it is there. No token of a request ends it: what the database has done is to be known.</summary>
    public async ValueTask TellAsync(SessionKey key, Func<ISessionCache, CancellationToken, ValueTask> tell)
    {
        if (!IsAway)
        {
            await TryAsync(async token => await tell(inner, token), key, CancellationToken.None);
        }
    }

    private async ValueTask<bool> TryAsync(Func<CancellationToken, Task> call, SessionKey key, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            await call(either.Token).WaitAsync(either.Token);
            Volatile.Write(ref _hasAnswered, 1);
            return true;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            Leave(key, "no answer in time");
            return false;
        }
        catch (SessionCacheException e) when (e.IsAway)
        {
            Leave(key, e.Message);
            return false;
        }
        catch (SessionCacheException e)
        {
            TellRefusal(e.Message);
            return false;
        }
    }

    /// <summary>A full cache refuses one call and takes the next: not a line for each.</summary>
    private void TellRefusal(string reason)
    {
        var (now, told) = (time.GetUtcNow().UtcTicks, Volatile.Read(ref _refusalToldAt));
        if (now - told >= RefusalIsTold.Ticks && Interlocked.CompareExchange(ref _refusalToldAt, now, told) == told)
        {
            logger.SessionCacheRefuses(reason);
        }
    }

    /// <summary>The first call of all also makes the connection, and may take longer; that is told only if there is none then.</summary>
    private void Leave(SessionKey key, string reason)
    {
        if (Interlocked.Exchange(ref _isAway, 1) == 0)
        {
            var isTold = Volatile.Read(ref _hasAnswered) != 0;
            if (isTold)
            {
                logger.SessionCacheAway(reason);
            }

            _ = ReturnAsync(key, isTold);
        }
    }

    /// <summary>Asks for the one session until there is an answer. Of a cache that was frozen, that comes when it is thawed.</summary>
    private async Task ReturnAsync(SessionKey key, bool isTold)
    {
        while (await FailureAsync(key) is { } reason)
        {
            if (!isTold)
            {
                isTold = true;
                logger.SessionCacheAway(reason);
            }

            await Task.Delay(Pause, time);
        }

        Volatile.Write(ref _isAway, 0);
        if (isTold)
        {
            logger.SessionCacheBack();
        }
    }

    /// <summary>Why it does not answer; null: it does, and be it with a refusal, or the host has stopped.</summary>
    private async Task<string?> FailureAsync(SessionKey key)
    {
        using var late = new CancellationTokenSource(TrialLimit, time);
        try
        {
            await inner.ReadAsync(key, SessionVersion.None, late.Token).AsTask().WaitAsync(late.Token);
            return null;
        }
        catch (SessionCacheException e)
        {
            return e.IsAway && e.InnerException is not ObjectDisposedException ? e.Message : null;
        }
        catch (OperationCanceledException)
        {
            return "no answer in time";
        }
    }
}
