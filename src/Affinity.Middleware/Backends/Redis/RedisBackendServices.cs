using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Backends.Redis;

/// <summary>Everything shared lies in Redis. Expects <see cref="RedisOptions"/> as a plain singleton, with the connection string filled in.</summary>
internal static class RedisBackendServices
{
    public static IServiceCollection AddRedisBackend(this IServiceCollection services)
    {
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisSessionStore>();
        services.AddSingleton<RedisSessionCache>();
        services.AddSingleton<RedisSessionAnnouncements>();
        services.AddSingleton<RedisNodeDirectory>();
        services.AddSingleton<RedisKeyVault>();
        services.AddSingleton(new SharedBackend(StoreKind.Redis)
        {
            Sessions = provider => provider.GetRequiredService<RedisSessionStore>(),
            Announcements = provider => provider.GetRequiredService<RedisSessionAnnouncements>(),
            Nodes = provider => provider.GetRequiredService<RedisNodeDirectory>(),
            Keys = provider => provider.GetRequiredService<RedisKeyVault>(),
        });
        return services;
    }
}
