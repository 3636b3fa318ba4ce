using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Affinity.Backends.Postgres;

/// <summary>Everything shared lies in PostgreSQL. The main package finds this class by its name when <c>ConnectionStrings:affinity-db</c> is set.</summary>
internal static class PostgresBackend
{
    /// <summary>Adds the services once, however often it is called.</summary>
    public static void Register(IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(PostgresDatabase)))
        {
            return;
        }

        services.AddOptionsWithValidateOnStart<PostgresOptions, PostgresOptionsValidator>()
            .BindConfiguration("Affinity:Postgres")
            .PostConfigure<IConfiguration>((options, configuration) =>
            {
                options.ConnectionString ??= configuration.GetConnectionString("affinity-db");
                options.Replicas ??= configuration.GetConnectionString("affinity-db-replicas");
            });
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider =>
        {
            // Here and not where the options are made: the app's name is known only when its own options are right.
            var options = provider.GetRequiredService<IOptions<PostgresOptions>>().Value;
            options.SchemaName ??= PostgresOptions.SchemaOf(provider.GetRequiredService<IOptions<AffinityOptions>>().Value.Application!);
            return options;
        });
        services.AddSingleton<PostgresDatabase>();
        services.AddSingleton(provider => new PostgresReplicas(
            provider.GetRequiredService<PostgresDatabase>(), provider.GetRequiredService<SessionsOptions>().NearCache, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<AffinityMetrics>(), provider.GetRequiredService<ILogger<PostgresReplicas>>()));
        services.AddSingleton<PostgresSessionStore>();
        services.AddSingleton<PostgresSessionAnnouncements>();
        services.AddSingleton<PostgresNodeDirectory>();
        services.AddSingleton<PostgresKeyVault>();
        services.AddSingleton(provider => new SharedBackend(StoreKind.Postgres)
        {
            Sessions = static provider => provider.GetRequiredService<PostgresSessionStore>(),
            Announcements = static provider => provider.GetRequiredService<PostgresSessionAnnouncements>(),
            Nodes = static provider => provider.GetRequiredService<PostgresNodeDirectory>(),
            Keys = static provider => provider.GetRequiredService<PostgresKeyVault>(),
            Options = typeof(PostgresOptions),
            Faults = () => FaultsOf(provider.GetRequiredService<IOptions<PostgresOptions>>()),
        });
        services.AddSingleton<PostgresSweeper>();
        services.AddHostedService(provider => new PostgresSweeping(
            () => provider.GetRequiredService<IOptions<AffinityOptions>>().Value.ChosenStore is StoreKind.Postgres or StoreKind.RedisOverPostgres ? provider.GetRequiredService<PostgresSweeper>() : null));
    }

    private static IEnumerable<string> FaultsOf(IOptions<PostgresOptions> options)
    {
        try
        {
            _ = options.Value;
            return [];
        }
        catch (OptionsValidationException exception)
        {
            return exception.Failures;
        }
    }
}
