using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Backends.Redis;

/// <summary>Everything shared lies in Redis. Expects <see cref="RedisOptions"/> as a plain singleton, with the connection string filled in.</summary>
internal static class RedisBackendServices
{
    /// <summary>Names the services of a second Redis.</summary>
    public const string Second = "second";

    public static IServiceCollection AddRedisBackend(this IServiceCollection services)
    {
        services.AddSingleton<RedisConnection>();
        services.AddSingleton<RedisSessionStore>();
        services.AddSingleton<ISessionCache, RedisSessionCache>();
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
        AddSecond(services);
        return services;
    }

    /// <summary>Everything in a second Redis, of which the keyed <see cref="RedisOptions"/> say where it is.</summary>
    public static SharedSite SecondSite(IServiceProvider provider) => new(
        provider.GetRequiredKeyedService<RedisSessionStore>(Second),
        provider.GetRequiredKeyedService<RedisSessionAnnouncements>(Second),
        provider.GetRequiredKeyedService<RedisNodeDirectory>(Second),
        provider.GetRequiredKeyedService<RedisKeyVault>(Second));

    private static void AddSecond(IServiceCollection services)
    {
        services.AddKeyedSingleton(Second, (provider, _) => Create<RedisConnection>(provider, Options(provider)));
        services.AddKeyedSingleton(Second, (provider, _) => Create<RedisSessionStore>(provider, Connection(provider), Options(provider)));
        services.AddKeyedSingleton(Second, (provider, _) => Create<RedisSessionAnnouncements>(provider, Connection(provider), Options(provider)));
        services.AddKeyedSingleton(Second, (provider, _) => Create<RedisNodeDirectory>(provider, Connection(provider), Options(provider)));
        services.AddKeyedSingleton(Second, (provider, _) => Create<RedisKeyVault>(provider, Connection(provider), Options(provider)));

        static T Create<T>(IServiceProvider provider, params object[] own) => ActivatorUtilities.CreateInstance<T>(provider, own);
        static RedisConnection Connection(IServiceProvider provider) => provider.GetRequiredKeyedService<RedisConnection>(Second);
        static RedisOptions Options(IServiceProvider provider) => provider.GetRequiredKeyedService<RedisOptions>(Second);
    }
}
