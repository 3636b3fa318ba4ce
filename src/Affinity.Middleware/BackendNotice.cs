using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Says once, at start, that nothing is shared.</summary>
internal sealed class BackendNotice(IOptions<AffinityOptions> options, ILogger<BackendNotice> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.IsShared)
        {
            logger.InProcessBackend();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
