using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.Distributed;

/// <summary>Whatever <see cref="IDistributedCache"/> the app has registered. Sessions only: a cache evicts, so no key lies in it, and it cannot tell which nodes live.</summary>
internal static class DistributedBackendServices
{
    /// <param name="services">The app's services.</param>
    /// <param name="application">The name that all instances of the app share.</param>
    public static IServiceCollection AddDistributedBackend(this IServiceCollection services, Func<IServiceProvider, string> application)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new DistributedSessionStore(
            CacheOf(provider), application(provider), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<DistributedSessionStore>>()));
        services.AddSingleton(new SharedBackend(StoreKind.Distributed) { Sessions = provider => provider.GetRequiredService<DistributedSessionStore>() });
        return services;
    }

    /// <exception cref="InvalidOperationException">The app has none.</exception>
    private static IDistributedCache CacheOf(IServiceProvider provider) => provider.GetService<IDistributedCache>()
        ?? throw new InvalidOperationException(
            "Affinity:Store is Distributed, but the app has registered no IDistributedCache. Register one that all instances reach, such as builder.Services.AddStackExchangeRedisCache(…) or AddDistributedSqlServerCache(…), or choose another Affinity:Store.");
}
