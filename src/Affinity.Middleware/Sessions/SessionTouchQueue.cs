using System.Collections.Concurrent;
using System.Threading.Channels;
using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// Slides the idle time of sessions that were only read: when a stated fraction of it has passed, after the response, in the background. A full queue drops touches, counted;
/// the next request of the visitor asks again. A session is touched at most once per fraction, however many of its requests began before the touch and end after it.
/// </summary>
internal sealed class SessionTouchQueue(
    ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionTouchQueue> logger) : BackgroundService
{
    private const int Capacity = 4096;

    // Beyond it the oldest are forgotten: a request would have to last longer than so many touches take to touch again too soon.
    private const int MaxRecent = 10_000;
    private const long Queued = long.MinValue;

    // When each was touched, or Queued.
    private readonly ConcurrentDictionary<SessionKey, long> _touched = new();
    private readonly Queue<KeyValuePair<SessionKey, long>> _recent = new();
    private readonly Channel<SessionKey> _keys = Channel.CreateBounded<SessionKey>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    private TimeSpan Pause => options.IdleTimeout * options.TouchAfter;

    /// <summary>Queues a touch when one is due. Never waits.</summary>
    public void Consider(AffinitySession session)
    {
        if (session.TouchGain is { } gain && gain >= Pause && session.Key is var key && Claim(key) && !_keys.Writer.TryWrite(key))
        {
            _touched.TryRemove(key, out _);
            metrics.TouchDropped();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var key in _keys.Reader.ReadAllAsync(stoppingToken))
        {
            if (await TouchAsync(key, stoppingToken) is { } at)
            {
                _touched[key] = at;
                _recent.Enqueue(new(key, at));
                ForgetOld();
            }
            else
            {
                _touched.TryRemove(key, out _);
            }
        }
    }

    /// <summary>Answers when the session was touched at the earliest; null: it was not.</summary>
    private async ValueTask<long?> TouchAsync(SessionKey key, CancellationToken cancellationToken)
    {
        var (at, idleUntil) = (time.GetTimestamp(), time.GetUtcNow() + options.IdleTimeout);
        try
        {
            if (await store.TouchAsync(key, options.IdleTimeout, cancellationToken))
            {
                near.Slide(key, idleUntil);
                return at;
            }

            near.Doubt(key); // it has ended, or the store has lost it: the next request finds out
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Also what breaks the store's contract: a background service that fails takes the host down.
            metrics.TouchDropped();
            logger.SessionTouchFailed(e.Message);
        }

        return null;
    }

    private bool Claim(SessionKey key) => _touched.TryGetValue(key, out var at)
        ? at != Queued && time.GetElapsedTime(at) >= Pause && _touched.TryUpdate(key, Queued, at)
        : _touched.TryAdd(key, Queued);

    private void ForgetOld()
    {
        while (_recent.TryPeek(out var oldest) && (_recent.Count > MaxRecent || time.GetElapsedTime(oldest.Value) >= Pause))
        {
            _recent.Dequeue();
            _touched.TryRemove(oldest);
        }
    }
}
