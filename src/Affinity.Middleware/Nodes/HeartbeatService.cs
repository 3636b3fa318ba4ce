using Microsoft.Extensions.Hosting;

namespace Affinity.Nodes;

/// <summary>
/// Beats from before the server listens until after it has stopped. The first beat is awaited, bounded, so that a node whose directory answers is ready with its first request;
/// a directory that is away does not keep the app from starting. Until the server listens the node is told as starting, so that nobody is sent to it: an app may take long to start.
/// </summary>
internal sealed class HeartbeatService(Heartbeat heartbeat, NodeMembership node, NodeHealth health, NodeOptions options, TimeProvider time) : IHostedLifecycleService, IDisposable
{
    private static readonly TimeSpan WhileNotReady = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();
    private Task _beating = Task.CompletedTask;
    private volatile bool _listens;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        await heartbeat.BeatAsync(cancellationToken);
        _beating = BeatOnAsync();
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The server listens. The others are told at once, if the directory answers; else with the next beat.</summary>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        _listens = true;
        if (ServesFromNowOn() && node.DirectoryAnswers)
        {
            await heartbeat.BeatAsync(cancellationToken);
        }
    }

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
        try
        {
            // Those that one command has started would all beat at the same moment from then on.
            await Task.Delay(NextInterval() * node.Phase, time, _end.Token);
            using var timer = new PeriodicTimer(NextInterval(), time);
            do
            {
                ServesFromNowOn();
                await heartbeat.BeatAsync(_end.Token);
                Follow(timer);
            }
            while (await timer.WaitForNextTickAsync(_end.Token));
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>Only on a change: it would put off the next beat by as long as this one took.</summary>
    private void Follow(PeriodicTimer timer)
    {
        if (NextInterval() is var next && timer.Period != next)
        {
            timer.Period = next;
        }
    }

    private bool ServesFromNowOn()
    {
        if (!_listens || node.Serves || !health.HasAll())
        {
            return false;
        }

        node.BeginServing();
        return true;
    }

    /// <summary>A node that has not joined, or lacks something, takes no visitors, so it does not wait long for its next try.</summary>
    private TimeSpan NextInterval() =>
        (node.HasJoined && node.Serves) || options.HeartbeatInterval < WhileNotReady ? options.HeartbeatInterval : WhileNotReady;
}
