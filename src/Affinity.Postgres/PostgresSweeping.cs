using Microsoft.Extensions.Hosting;

namespace Affinity.Backends.Postgres;

/// <summary>Sweeps while the app runs, where sessions lie in PostgreSQL: the package may be there and not be used.</summary>
/// <param name="sweeper">What sweeps.</param>
/// <param name="isUsed">Whether they do.</param>
internal sealed class PostgresSweeping(PostgresSweeper sweeper, Func<bool> isUsed) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        isUsed() ? sweeper.RunAsync(stoppingToken) : Task.CompletedTask;
}
