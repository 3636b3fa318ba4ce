using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.Infrastructure;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity.Tickets;

/// <summary>Data Protection for the app, so that its cookies, antiforgery tokens and TempData work on every node.</summary>
internal static class DataProtectionServices
{
    /// <summary>
    /// One process: the framework keeps its keys where it does by default; only the application name and the version gate apply.
    /// </summary>
    public static IServiceCollection AddLocalDataProtection(this IServiceCollection services, Func<IServiceProvider, string> applicationName)
    {
        services.AddDataProtection();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DataProtectionGate>());

        // A name that the app has set by itself stays.
        services.AddOptions<DataProtectionOptions>().Configure<IServiceProvider>((options, provider) =>
        {
            if (options.ApplicationDiscriminator is not { } name || string.Equals(name, provider.GetService<IApplicationDiscriminator>()?.Discriminator, StringComparison.Ordinal))
            {
                options.ApplicationDiscriminator = applicationName(provider);
            }
        });
        return services;
    }

    /// <summary>
    /// Many nodes: the keys lie in the key vault. Needs <see cref="IKeyVault"/>, <see cref="TimeProvider"/> and <see cref="KeyRingServices.AddKeyRefresh"/>; the pipeline needs
    /// <see cref="DataProtectionMiddleware"/> before authentication. A storage that the app has configured by itself stays.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="applicationName">The name that all instances share.</param>
    /// <param name="isShared">Whether the vault outlives this process; if not, the framework's own storage is better.</param>
    public static IServiceCollection AddSharedDataProtection(
        this IServiceCollection services, Func<IServiceProvider, string> applicationName, Func<IServiceProvider, bool> isShared)
    {
        services.AddLocalDataProtection(applicationName);
        services.AddKeyRing(KeyRefreshService.DataProtectionRing);
        services.AddSingleton(provider => new KeyVaultXmlRepository(Ring(provider), provider.GetRequiredService<ILogger<KeyVaultXmlRepository>>()));
        services.AddSingleton(provider => new UnknownKeys(Ring(provider), provider.GetRequiredService<ILogger<UnknownKeys>>()));
        services.AddOptions<KeyManagementOptions>().Configure<IServiceProvider>((options, provider) =>
            options.XmlRepository ??= isShared(provider) ? provider.GetRequiredService<KeyVaultXmlRepository>() : null);
        ShareKeyRing(services, isShared);
        return services;
    }

    private static void ShareKeyRing(IServiceCollection services, Func<IServiceProvider, bool> isShared)
    {
        var framework = services.Last(service => service.ServiceType == typeof(IKeyRingProvider)).ImplementationType
            ?? throw new InvalidOperationException("IKeyRingProvider is registered by something else than AddDataProtection, so its keys cannot be shared: remove that registration (or the second call that added Affinity).");
        services.RemoveAll<IKeyRingProvider>();
        services.AddSingleton<IKeyRingProvider>(provider => CreateKeyRingProvider(provider, framework, isShared));
        services.AddSingleton<IReadinessCheck>(provider => provider.GetRequiredService<IKeyRingProvider>() is SharedKeyRingProvider shared
            ? new DataProtectionReadiness(Ring(provider), shared)
            : new NothingToWaitFor());
    }

    private static IKeyRingProvider CreateKeyRingProvider(IServiceProvider provider, Type framework, Func<IServiceProvider, bool> isShared)
    {
        if (provider.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository is not KeyVaultXmlRepository repository)
        {
            if (isShared(provider))
            {
                provider.GetRequiredService<ILogger<SharedKeyRingProvider>>().DataProtectionStorageOfTheApp(
                    provider.GetRequiredService<IOptions<KeyManagementOptions>>().Value.XmlRepository?.GetType().Name ?? "the framework's default");
            }

            return (IKeyRingProvider)ActivatorUtilities.CreateInstance(provider, framework);
        }

        var time = provider.GetRequiredService<TimeProvider>();
        var keys = new SharedKeyManager(provider.GetRequiredService<IKeyManager>(), repository, time);
        return new SharedKeyRingProvider(
            Ring(provider),
            () => (IKeyRingProvider)ActivatorUtilities.CreateInstance(provider, framework, keys),
            provider.GetRequiredService<UnknownKeys>(),
            time,
            provider.GetRequiredService<ILogger<SharedKeyRingProvider>>());
    }

    private static VaultRing Ring(IServiceProvider provider) => provider.GetRequiredKeyedService<VaultRing>(KeyRefreshService.DataProtectionRing);

    /// <summary>The keys are the app's own affair.</summary>
    private sealed class NothingToWaitFor : IReadinessCheck
    {
        public string? NotReadyBecause() => null;
    }
}
