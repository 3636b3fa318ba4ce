using Microsoft.Extensions.Hosting;

namespace Affinity.Backends.Standby;

/// <summary>Looks at both stores from before the first heartbeat until after the last request; nothing where there is no standby.</summary>
internal sealed class StandbyService(StandbyWatch? watch = null) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _end = new();
    private Task _looking = Task.CompletedTask;

    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        if (watch is not null)
        {
            await watch.LookOnceAsync(cancellationToken);
            _looking = watch.LookOnAsync(_end.Token);
        }
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        await _end.CancelAsync();
        await _looking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        // A host that failed to start is disposed without having been stopped.
        _end.Cancel();
        _end.Dispose();
    }
}
