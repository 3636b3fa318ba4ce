using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// Puts the stage together. The root registers <see cref="TicketOptions"/>, <see cref="TicketScope"/> and, for an app without secrets, an <see cref="IKeyVault"/>.
/// </summary>
internal static class TicketServices
{
    public static IServiceCollection AddTicketStage(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<AffinityMetrics>();
        services.AddSingleton<TicketCookie>();
        services.AddSingleton(provider => new TicketCodec(
            provider.GetRequiredService<TicketScope>().Application,
            provider.GetRequiredService<TicketCookie>().Name,
            provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(CreateKeys);
        services.AddSingleton<VerifiedTickets>();
        services.AddSingleton<TicketReader>();
        services.AddSingleton<TicketWriter>();
        services.AddSingleton<TicketSeal>();
        services.AddSingleton<IReadinessCheck, SigningKeysReadiness>();
        services.AddHostedService<TicketService>();
        return services;
    }

    private static ISigningKeys CreateKeys(IServiceProvider provider)
    {
        var secrets = provider.GetRequiredService<TicketScope>().Secrets;
        var time = provider.GetRequiredService<TimeProvider>();
        if (secrets.Count > 0)
        {
            return new SecretSigningKeys(secrets, time);
        }

        var logger = provider.GetRequiredService<ILogger<VaultSigningKeys>>();
        return new VaultSigningKeys(new VaultRing(provider.GetRequiredService<IKeyVault>(), VaultSigningKeys.RingName, time, logger), time, logger);
    }
}
