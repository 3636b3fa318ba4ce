using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>The rings that the nodes share through the key vault, and their refresh.</summary>
internal static class KeyRingServices
{
    /// <summary>Adds a ring: <c>GetRequiredKeyedService&lt;VaultRing&gt;(name)</c>. It needs <see cref="IKeyVault"/> and <see cref="TimeProvider"/>, and is refreshed by <see cref="AddKeyRefresh"/>.</summary>
    public static IServiceCollection AddKeyRing(this IServiceCollection services, string name)
    {
        services.AddKeyedSingleton(name, (provider, _) => new VaultRing(
            provider.GetRequiredService<IKeyVault>(), name, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<VaultRing>>()));
        return services.AddSingleton(provider => provider.GetRequiredKeyedService<VaultRing>(name));
    }

    /// <summary>Adds the refresh of all rings. Register it after the heartbeat, whose first beat must come before, and before whatever uses keys at start.</summary>
    /// <param name="services">The app's services.</param>
    /// <param name="otherNodesLive">Whether the node directory shows others.</param>
    public static IServiceCollection AddKeyRefresh(this IServiceCollection services, Func<IServiceProvider, bool> otherNodesLive) =>
        services.AddSingleton<IHostedService>(provider => new KeyRefreshService(
            provider.GetServices<VaultRing>(),
            () => otherNodesLive(provider),
            provider.GetService<IKeyRingProvider>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<KeyRefreshService>>()));
}
