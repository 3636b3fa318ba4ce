using Microsoft.Extensions.Hosting;

namespace Affinity.Backends.Postgres;

/// <summary>Sweeps while the app runs, where sessions lie in PostgreSQL: the package may be there and not be used.</summary>
/// <param name="sweeper">What sweeps; null where they do not. Asked when the app has started, so that faults of options are told by those who look for them.</param>
internal sealed class PostgresSweeping(Func<PostgresSweeper?> sweeper) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        sweeper()?.RunAsync(stoppingToken) ?? Task.CompletedTask;
}
