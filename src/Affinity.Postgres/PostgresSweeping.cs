using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Affinity.Backends.Postgres;

/// <summary>Sweeps while the app runs, where sessions lie in PostgreSQL: the package may be there and not be used.</summary>
internal sealed class PostgresSweeping(IServiceProvider provider) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        provider.GetRequiredService<IOptions<AffinityOptions>>().Value.ChosenStore is StoreKind.Postgres or StoreKind.RedisOverPostgres
            ? provider.GetRequiredService<PostgresSweeper>().RunAsync(stoppingToken)
            : Task.CompletedTask;
}
