using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>
/// Leaves without an error for anybody. On SIGTERM the host calls <see cref="StoppingAsync"/> while the server still accepts and serves, and stops the server only when it has returned:
/// readiness says no, balancers get time to notice, bound visitors are sent to other nodes, requests in flight by then finish. A drain by command has done the first two already.
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
        node.BeginDrain(stops: true);
        try
        {
            await heartbeat.BeatAsync(cancellationToken);
            var (notice, evacuation, because) = Plan();
            logger.DrainBegan(node.Self.Value, node.Requests.InFlight, node.Bound.Count, notice, evacuation, because);
            await WaitUntilDrainingForAsync(notice, cancellationToken);
            if (node.Bound.Count > 0 || node.Bound.LeavesSomeOut)
            {
                await WaitUntilDrainingForAsync(notice + evacuation, cancellationToken);
            }

            // What comes later the server itself waits for when it stops.
            await node.Requests.WhenEarlierLeftAsync().WaitAsync(options.Timeout, time, cancellationToken);
            var elapsed = time.GetElapsedTime(began);
            logger.DrainEnded(node.Self.Value, elapsed, node.Requests.InFlight, node.Requests.Served, node.Bound.Count);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            var elapsed = time.GetElapsedTime(began);
            logger.DrainCutShort(node.Self.Value, elapsed, node.Requests.Earlier);
        }
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Time for balancers to notice where another node may take over, and time to send visitors to it where it has a name.</summary>
    private (TimeSpan Notice, TimeSpan Evacuation, string Because) Plan() => node switch
    {
        { HasActivePeers: true } => (options.Notice, options.Evacuation, "another node takes visitors"),
        { Sight: PeerSight.Blind } => (options.Notice, TimeSpan.Zero, "without a store other nodes are not known by name, and only their balancer can send visitors to them"),
        { Sight: PeerSight.Alone } => (TimeSpan.Zero, TimeSpan.Zero, "no store is configured, so this is the only node"),
        _ => (TimeSpan.Zero, TimeSpan.Zero, "no other node takes visitors"),
    };

    private Task WaitUntilDrainingForAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        var rest = duration - node.DrainingFor!.Value;
        return rest > TimeSpan.Zero ? Task.Delay(rest, time, cancellationToken) : Task.CompletedTask;
    }
}
