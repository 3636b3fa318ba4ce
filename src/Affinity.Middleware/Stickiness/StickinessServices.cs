using Affinity.Nodes;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Stickiness;

/// <summary>The stickiness stage: which node a visitor is sent to.</summary>
internal static class StickinessServices
{
    /// <summary>Adds the stage. It needs <see cref="StickinessOptions"/>, the stages of nodes and tickets, and takes a <see cref="CustomDialect"/> if there is one.</summary>
    public static IServiceCollection AddStickinessStage(this IServiceCollection services)
    {
        services.AddSingleton(provider => provider.GetService<CustomDialect>()?.Dialect ?? BuiltInDialects.Of(provider.GetRequiredService<StickinessOptions>().Dialect));
        services.AddSingleton(provider => new RouteCookie(provider.GetRequiredService<StickinessOptions>().CookieName, provider.GetRequiredService<GuardedDialect>(), provider.GetRequiredService<TicketOptions>()));
        services.AddSingleton(provider => new BindingCookie(provider.GetRequiredService<TicketScope>(), provider.GetRequiredService<ISigningKeys>(), provider.GetRequiredService<TicketOptions>()));
        services.AddSingleton(provider => new ApplicationCookie(
            provider.GetRequiredService<StickinessOptions>().ApplicationCookie, provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<ApplicationCookie>>()));
        services.AddSingleton<GuardedDialect>();
        services.AddSingleton<LiveTargets>();
        services.AddSingleton<StickinessReader>();
        services.AddSingleton<StickinessJudge>();
        services.AddSingleton<StickinessWriter>();
        services.AddSingleton<ObedienceWatch>();
        return services;
    }
}

/// <summary>A dialect of the app's own, which takes the place of the one that the options name.</summary>
internal sealed record CustomDialect(IAffinityDialect Dialect);
