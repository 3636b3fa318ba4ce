using System.Collections.Concurrent;
using System.Threading.Channels;
using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>
/// Slides the idle time of sessions that were only read: when a stated fraction of it has passed, after the response, in the background. A full queue drops touches, counted;
/// the next request of the visitor asks again. A session is in the queue at most once.
/// </summary>
internal sealed class SessionTouchQueue(ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionTouchQueue> logger) : BackgroundService
{
    private const int Capacity = 4096;

    private readonly ConcurrentDictionary<SessionKey, bool> _queued = new();
    private readonly Channel<SessionKey> _keys = Channel.CreateBounded<SessionKey>(new BoundedChannelOptions(Capacity) { SingleReader = true });

    /// <summary>Queues a touch when one is due. Never waits.</summary>
    public void Consider(AffinitySession session)
    {
        if (session.TouchGain is { } gain && gain >= options.IdleTimeout * options.TouchAfter && session.Key is var key && _queued.TryAdd(key, true) && !_keys.Writer.TryWrite(key))
        {
            _queued.TryRemove(key, out _);
            metrics.TouchDropped();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var key in _keys.Reader.ReadAllAsync(stoppingToken))
        {
            try
            {
                var idleUntil = time.GetUtcNow() + options.IdleTimeout;
                if (await store.TouchAsync(key, options.IdleTimeout, stoppingToken))
                {
                    near.Slide(key, idleUntil);
                }
                else
                {
                    near.Refuse(key);
                }
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // Also what breaks the store's contract: a background service that fails takes the host down.
                metrics.TouchDropped();
                logger.SessionTouchFailed(e.Message);
            }
            finally
            {
                _queued.TryRemove(key, out _);
            }
        }
    }
}
