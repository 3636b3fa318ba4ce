using Microsoft.Extensions.Hosting;

namespace Affinity.Nodes;

/// <summary>
/// Beats from before the server listens until after it has stopped. The first beat is awaited, bounded, so that a node whose directory answers is ready with its first request;
/// a directory that is away does not keep the app from starting.
/// </summary>
internal sealed class HeartbeatService(Heartbeat heartbeat, NodeMembership node, NodeOptions options, TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan WhileNotJoined = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();
    private Task _beating = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await heartbeat.BeatAsync(cancellationToken);
        _beating = BeatOnAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>After the last request. Not ended by the host's patience: leaving is bounded, and a name that is left behind holds up the node's successor.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        await _beating;
        await heartbeat.LeaveAsync();
    }

    public void Dispose()
    {
        // A host that failed to start is disposed without having been stopped.
        _end.Cancel();
        _end.Dispose();
    }

    private async Task BeatOnAsync()
    {
        using var timer = new PeriodicTimer(NextInterval(), time);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                await heartbeat.BeatAsync(_end.Token);
                timer.Period = NextInterval();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>A node that has not joined takes no visitors, so it does not wait long for its next try.</summary>
    private TimeSpan NextInterval() =>
        node.HasJoined || options.HeartbeatInterval < WhileNotJoined ? options.HeartbeatInterval : WhileNotJoined;
}
