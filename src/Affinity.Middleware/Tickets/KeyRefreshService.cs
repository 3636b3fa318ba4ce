using Affinity.Diagnostics;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// Reads every shared key ring before the server listens and again every <see cref="Interval"/>, so that keys of other nodes are known before they are met and keys that the vault has lost come back.
/// A vault that is away never keeps the app from starting.
/// </summary>
/// <param name="rings">Every ring of this node.</param>
/// <param name="otherNodesLive">Whether the node directory shows others; asked once the heartbeat has had its first beat.</param>
/// <param name="keyRings">Loaded in the background when the keys have changed, so that no request has to; null without Data Protection.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where to tell.</param>
internal sealed class KeyRefreshService(
    IEnumerable<VaultRing> rings, Func<bool> otherNodesLive, IKeyRingProvider? keyRings, TimeProvider time, ILogger<KeyRefreshService> logger) : IHostedLifecycleService, IDisposable
{
    /// <summary>The ring in which a key of a node that forgot nothing is worth waiting for.</summary>
    public const string DataProtectionRing = "DataProtection";

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Until every ring has been read once.</summary>
    public static readonly TimeSpan FirstReadInterval = TimeSpan.FromSeconds(1);

    /// <summary>Two refreshes of another node, and the time that one may take.</summary>
    public static readonly TimeSpan PatienceWithPeers = (2 * Interval) + VaultRing.Limit;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(250);

    private readonly VaultRing[] _rings = [.. rings];
    private readonly CancellationTokenSource _end = new();
    private Task _refreshing = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        // Before the read: the first node of a new farm has seen nobody and creates the key at once; the others have seen it and wait for its key.
        var others = otherNodesLive();
        await RefreshAllAsync(cancellationToken);
        if (others && Array.Find(_rings, ring => string.Equals(ring.Name, DataProtectionRing, StringComparison.Ordinal)) is { } ring)
        {
            await WaitForPeersAsync(ring, cancellationToken);
        }

        _refreshing = RefreshOnAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>After the last request: until then keys of other nodes may be met.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        await _refreshing;
    }

    public void Dispose()
    {
        // A host that failed to start is disposed without having been stopped.
        _end.Cancel();
        _end.Dispose();
    }

    private async Task WaitForPeersAsync(VaultRing ring, CancellationToken cancellationToken)
    {
        if (!IsEmpty(ring))
        {
            return;
        }

        logger.WaitingForKeysOfPeers(ring.Name, PatienceWithPeers.TotalSeconds);
        var began = time.GetTimestamp();
        while (IsEmpty(ring) && otherNodesLive())
        {
            if (time.GetElapsedTime(began) >= PatienceWithPeers)
            {
                logger.NoKeysOfPeers(ring.Name);
                return;
            }

            await Task.Delay(Poll, time, cancellationToken);
            await ring.RefreshAsync(cancellationToken);
        }
    }

    private async Task RefreshOnAsync()
    {
        using var timer = new PeriodicTimer(NextInterval(), time);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                await RefreshSafelyAsync();
                timer.Period = NextInterval();
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    private async Task RefreshSafelyAsync()
    {
        try
        {
            await RefreshAllAsync(_end.Token);
            if (Array.TrueForAll(_rings, ring => ring.HasBeenRead))
            {
                keyRings?.GetCurrentKeyRing();
            }
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            logger.KeyRefreshFailed(exception);
        }
    }

    private Task<bool[]> RefreshAllAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_rings.Select(ring => ring.RefreshAsync(cancellationToken).AsTask()));

    private TimeSpan NextInterval() => Array.TrueForAll(_rings, ring => ring.HasBeenRead) ? Interval : FirstReadInterval;

    private static bool IsEmpty(VaultRing ring) => ring is { HasBeenRead: true, Elements.Count: 0 };
}
