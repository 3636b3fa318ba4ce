using Affinity.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Says once, at start, what the app should know: that nothing is shared, that another session stands in the way, or that a setting is misspelt.</summary>
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

        if (UnknownSettings() is { } names)
        {
            logger.UnknownSettings(names);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>A misspelt setting would be ignored in silence. Not a fault: during a roll-out a node may meet the settings of a newer version.</summary>
    private string? UnknownSettings()
    {
        try
        {
            configuration.GetSection("Affinity").Bind(new AffinityOptions(), binder => binder.ErrorOnUnknownConfiguration = true);
            return null;
        }
        catch (InvalidOperationException e)
        {
            // The values were bound before, so this is about names, and names only.
            return e.Message;
        }
    }
}
