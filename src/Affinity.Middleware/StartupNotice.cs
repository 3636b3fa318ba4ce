using Affinity.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Says once, at start, what the app should know: that nothing is shared, that another session stands in the way, or that a setting is not understood.</summary>
internal sealed class StartupNotice(
    IOptions<AffinityOptions> options, IConfiguration configuration, IServiceProviderIsService services, ILogger<StartupNotice> logger) : IHostedService
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

        foreach (var path in UnknownSettings.In(configuration.GetSection("Affinity"), typeof(AffinityOptions)))
        {
            logger.UnknownSetting(path);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
