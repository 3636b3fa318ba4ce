using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>
/// Leaves without an error for anybody. On SIGTERM the host calls <see cref="StoppingAsync"/> while the server still accepts and serves, and stops the server only when it has returned:
/// readiness says no, balancers get time to notice, requests in flight finish.
/// </summary>
internal sealed class DrainService(NodeMembership node, Heartbeat heartbeat, DrainOptions options, TimeProvider time, ILogger<DrainService> logger)
    : IHostedLifecycleService
{
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Drains. Every wait also ends with the token, by which the host says that its patience has ended.</summary>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        node.BeginDrain();
        try
        {
            await heartbeat.BeatAsync(cancellationToken);
            var notice = node.HasPeers ? options.Notice : TimeSpan.Zero;
            logger.DrainBegan(node.Self.Value, node.Requests.InFlight, notice);
            await Task.Delay(notice, time, cancellationToken);
            await node.Requests.WhenIdleAsync().WaitAsync(options.Timeout, time, cancellationToken);
            var elapsed = time.GetElapsedTime(began);
            logger.DrainEnded(node.Self.Value, elapsed, node.Requests.Served);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            var elapsed = time.GetElapsedTime(began);
            logger.DrainCutShort(node.Self.Value, elapsed, node.Requests.InFlight);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
