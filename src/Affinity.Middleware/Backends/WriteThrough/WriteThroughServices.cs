using Affinity.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.WriteThrough;

/// <summary>A cache in front of the database: sessions are read through it; nodes, keys and announcements are the database's. Expects an <see cref="ISessionCache"/>, and a backend for <see cref="StoreKind.Postgres"/>.</summary>
internal static class WriteThroughServices
{
    /// <param name="services">Where to.</param>
    /// <param name="options">How much the cache may answer by itself.</param>
    public static IServiceCollection AddWriteThroughBackend(this IServiceCollection services, Func<IServiceProvider, WriteThroughOptions> options)
    {
        services.AddSingleton(provider => new WriteThroughSessionStore(
            Database(provider).Sessions(provider),
            provider.GetRequiredService<ISessionCache>(),
            options(provider),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<AffinityMetrics>(),
            provider.GetRequiredService<ILogger<WriteThroughSessionStore>>()));
        services.AddSingleton(new SharedBackend(StoreKind.RedisOverPostgres)
        {
            Sessions = provider => provider.GetRequiredService<WriteThroughSessionStore>(),
            Announcements = provider => Database(provider).Announcements?.Invoke(provider)!,
            Nodes = provider => Database(provider).Nodes?.Invoke(provider)!,
            Keys = provider => Database(provider).Keys?.Invoke(provider)!,
        });
        return services;
    }

    private static SharedBackend Database(IServiceProvider provider) => provider.GetServices<SharedBackend>().Last(backend => backend.Kind == StoreKind.Postgres);
}
