using Affinity.Backends;
using Affinity.Backends.Distributed;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Says once, at start, what the app should know: that nothing is shared, that another session stands in the way, or that a setting is not understood.</summary>
internal sealed class StartupNotice(
    IOptions<AffinityOptions> options, IOptions<KeyManagementOptions> keys, IConfiguration configuration, IServiceProviderIsService services, IEnumerable<SharedBackend> backends, IServiceProvider provider, ILogger<StartupNotice> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.Value.Sessions.Carrier == SessionCarrier.Cookie)
        {
            TellOfCookies(options.Value);
        }
        else if (!options.Value.IsShared)
        {
            logger.InProcessBackend();
        }

        if (options.Value.ChosenStore == StoreKind.Distributed)
        {
            TellOfCache(options.Value);
        }

        if (services.IsService(typeof(Microsoft.AspNetCore.Session.ISessionStore)))
        {
            logger.FrameworkSessionRegistered();
        }

        foreach (var path in UnknownSettings.In(configuration.GetSection("Affinity"), typeof(AffinityOptions), [.. backends.Select(backend => backend.Options).OfType<Type>().Distinct()]))
        {
            logger.UnknownSetting(path);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void TellOfCache(AffinityOptions settings)
    {
        var storage = keys.Value.XmlRepository?.GetType().Name;
        logger.SessionsInDistributedCache(settings.Secrets.Count > 0 ? "Affinity:Secrets" : "signing keys in Affinity:KeyDirectory", storage ?? "the framework's default");
        if (provider.GetRequiredService<DistributedSessionStore>().IsInProcess)
        {
            logger.DistributedCacheInProcess();
        }
        else if (storage is null)
        {
            logger.DistributedKeysNotShared();
        }
    }

    private void TellOfCookies(AffinityOptions settings)
    {
        var cookie = settings.Sessions.Cookie;
        var isSealed = cookie.Protection == ContentProtection.SignAndEncrypt;
        var storage = keys.Value.XmlRepository?.GetType().Name;
        if (logger.IsEnabled(LogLevel.Information))
        {
            var shared = (settings.Secrets.Count > 0 ? "Affinity:Secrets" : settings is { StoreKnowsNodes: true, KeyDirectory: null } ? "signing keys in the store" : "signing keys in Affinity:KeyDirectory") + (isSealed ? $", and Data Protection keys ({storage ?? "the framework's default"})" : "");
            var floor = cookie.Floor == ReplayFloor.Store ? "the version of each, so that an older cookie is refused" : "nothing, so that a copied cookie counts until its idle time ends";
            var directory = settings.StoreKnowsNodes ? "by the store" : "not, so that a drain sends nobody elsewhere by name";
            logger.SessionsInCookies(cookie.Protection.ToString(), settings.Ticket.MaxBytes, shared, floor, directory);
        }

        if (isSealed && storage is null)
        {
            logger.CookieKeysNotShared();
        }
    }
}
