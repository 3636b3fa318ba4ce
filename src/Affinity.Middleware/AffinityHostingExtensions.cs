using System.Reflection;
using Affinity;
using Affinity.Backends;
using Affinity.Backends.Directory;
using Affinity.Backends.Distributed;
using Affinity.Backends.Memory;
using Affinity.Backends.Redis;
using Affinity.Backends.Standby;
using Affinity.Backends.WriteThrough;
using Affinity.Diagnostics;
using Affinity.Inspection;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.Hosting;

/// <summary>The one line.</summary>
public static class AffinityHostingExtensions
{
    private const string PostgresBackend = "Affinity.Backends.Postgres.PostgresBackend, Affinity.Postgres";

    /// <summary>
    /// Makes the app safe to run as many instances behind any balancer: shared sessions, shared Data Protection keys, sign-ins that every instance accepts, health paths and drain.
    /// Reads the section <c>Affinity</c> and the connection string <c>redis</c>, or <c>affinity-db</c> with the package Affinity.Postgres; without one the sessions stay in this process, with a warning.
    /// </summary>
    /// <param name="builder">The app's builder.</param>
    /// <param name="configure">Settings in code; they win over the configuration.</param>
    /// <returns>Where further backends add themselves.</returns>
    public static AffinityBuilder AddAffinity(this IHostApplicationBuilder builder, Action<AffinityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var services = builder.Services;
        if (services.Any(service => service.ServiceType == typeof(AffinityPipeline)))
        {
            throw new InvalidOperationException("AddAffinity has been called already; put all settings into one call.");
        }

        AddOptions(services, configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<AffinityMetrics>();
        AddBackend(services);
        services.AddNodeStage();
        services.AddKeyRefresh(provider => provider.GetRequiredService<NodeMembership>().HasPeers);
        services.AddTicketStage();
        services.AddSharedDataProtection(provider => Settings(provider).Application!, provider => Settings(provider).SharesKeys);
        services.AddStickinessStage();
        services.AddSessionStage(
            (provider, check) => provider.GetRequiredService<NodeMembership>().OnStoreMayHaveLost(check),
            provider => provider.GetRequiredService<NodeMembership>().PeersLately);
        services.AddInspector();
        services.AddHostedService<StartupNotice>();
        services.AddSingleton<AffinityPipeline>();
        services.AddSingleton<IStartupFilter>(provider => provider.GetRequiredService<AffinityPipeline>());
        return new AffinityBuilder(services);
    }

    private static void AddOptions(IServiceCollection services, Action<AffinityOptions>? configure)
    {
        var options = services.AddOptionsWithValidateOnStart<AffinityOptions, AffinityOptionsValidator>().BindConfiguration("Affinity");
        if (configure is not null)
        {
            options.Configure(configure);
        }

        options.PostConfigure<IServiceProvider>((settings, provider) => settings.Stickiness.OwnDialectSteers = provider.GetService<CustomDialect>()?.Dialect.Steers);
        options.PostConfigure<IConfiguration, IHostEnvironment>((settings, configuration, environment) =>
        {
            settings.Application ??= environment.ApplicationName;
            settings.Redis.KeyPrefix ??= RedisOptions.PrefixOf(settings.Application);
            settings.Redis.Configuration ??= configuration.GetConnectionString("redis");
            settings.StandbyStore.Configuration ??= configuration.GetConnectionString("affinity-standby");
            settings.HasDatabase = (configuration["Affinity:Postgres:ConnectionString"] ?? configuration.GetConnectionString("affinity-db")) is { Length: > 0 };
            settings.Stickiness.StoreKnowsNodes = settings.StoreKnowsNodes;
            settings.Node.Sight = settings.Sight;
        });
        // Each stage sees its own options only.
        services.AddSingleton(provider => Settings(provider).Node);
        services.AddSingleton(provider => Settings(provider).Drain);
        services.AddSingleton(provider => Settings(provider).AgentCheck);
        services.AddSingleton(provider => Settings(provider).Ticket);
        services.AddSingleton(provider => Settings(provider).Stickiness);
        services.AddSingleton(provider => Settings(provider).Sessions);
        services.AddSingleton(provider => Settings(provider).Redis);
        services.AddSingleton(provider => Settings(provider).StandbyStore);
        services.AddKeyedSingleton(RedisBackendServices.Second, (provider, _) => Settings(provider) switch
        {
            var settings => new RedisOptions { Configuration = settings.StandbyStore.Configuration, KeyPrefix = settings.Redis.KeyPrefix, DataProtectionKey = settings.Redis.DataProtectionKey, ConnectTimeout = settings.Redis.ConnectTimeout },
        });

        services.AddSingleton(provider => FarmSettings.Of(
            Settings(provider), provider.GetRequiredService<IOptions<DataProtectionOptions>>().Value.ApplicationDiscriminator, provider.GetService<CustomDialect>()?.Dialect, provider.GetServices<AgreedSetting>()));

        // A visitor whose session has ended for idleness is bound to nothing.
        services.AddSingleton(provider => new BoundVisitors(Settings(provider).Sessions.IdleTimeout, provider.GetRequiredService<TimeProvider>()) { LeavesSomeOut = Settings(provider).BindsWithoutSession });
        services.AddSingleton(provider => new TicketScope(Settings(provider).Application!, [.. Settings(provider).Secrets]) { IsShared = Settings(provider).SharesKeys });
    }

    /// <summary>The backend is chosen when the first service asks, so that settings from every source have been read.</summary>
    private static void AddBackend(IServiceCollection services)
    {
        services.AddMemoryBackend();
        services.AddRedisBackend();
        services.AddDistributedBackend(provider => Settings(provider).Application!);
        AddPostgresBackend(services);
        services.AddWriteThroughBackend(provider => Settings(provider).Sessions switch
        {
            var sessions => new WriteThroughOptions { MaxAge = sessions.NearCache.MaxAge, StoreTimeout = sessions.StoreTimeout, ServesInOutage = sessions.OnStoreAway != StoreAway.Fail },
        });
        services.AddStandby(First, provider => Settings(provider).HasStandby ? RedisBackendServices.SecondSite(provider) : null);
        services.AddSingleton(provider => Pair(provider)?.Sessions ?? Chosen(provider).Sessions(provider));
        services.AddSingleton(provider => Pair(provider)?.Announcements ?? Chosen(provider).Announcements?.Invoke(provider)!);
        services.AddSingleton(provider => Pair(provider)?.Nodes ?? NodesOf(provider));
        services.AddSingleton(provider => Settings(provider).KeyDirectory is { } directory ? new DirectoryKeyVault(directory, provider.GetRequiredService<TimeProvider>()) : Pair(provider)?.Keys ?? KeysOf(provider));
    }

    /// <summary>The store of the settings, where it is one of two.</summary>
    private static SharedSite First(IServiceProvider provider) =>
        new(Chosen(provider).Sessions(provider), Chosen(provider).Announcements?.Invoke(provider), NodesOf(provider), KeysOf(provider));

    private static SharedSite? Pair(IServiceProvider provider) => provider.GetService<StandbyPair>()?.Site;

    private static INodeDirectory NodesOf(IServiceProvider provider) => Chosen(provider).Nodes?.Invoke(provider) ?? provider.GetRequiredService<MemoryNodeDirectory>();

    private static IKeyVault KeysOf(IServiceProvider provider) => Chosen(provider).Keys?.Invoke(provider) ?? provider.GetRequiredService<MemoryKeyVault>();

    private static SharedBackend Chosen(IServiceProvider provider) =>
        provider.GetServices<SharedBackend>().LastOrDefault(backend => backend.Kind == Settings(provider).ChosenStore) ?? throw new InvalidOperationException(AffinityOptionsValidator.NotOffered(Settings(provider).ChosenStore));

    /// <summary>So that a connection string is enough where the package is there: it is found by its name, as it comes after this one.</summary>
    private static void AddPostgresBackend(IServiceCollection services) =>
        Type.GetType(PostgresBackend)?.GetMethod("Register", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!.CreateDelegate<Action<IServiceCollection>>()(services);

    private static AffinityOptions Settings(IServiceProvider provider) => provider.GetRequiredService<IOptions<AffinityOptions>>().Value;
}
