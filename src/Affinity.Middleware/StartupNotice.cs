using Affinity.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Says once, at start, what the app should know: that nothing is shared, or that another session stands in the way.</summary>
internal sealed class StartupNotice(IOptions<AffinityOptions> options, IServiceProviderIsService services, ILogger<StartupNotice> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.IsShared)
        {
            logger.InProcessBackend();
        }

        if (services.IsService(typeof(Microsoft.AspNetCore.Session.ISessionStore)))
        {
            logger.FrameworkSessionRegistered();
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
