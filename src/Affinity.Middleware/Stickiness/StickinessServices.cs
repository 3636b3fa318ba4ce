using Affinity.Nodes;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Stickiness;

/// <summary>The stickiness stage: which node a visitor is sent to.</summary>
internal static class StickinessServices
{
    /// <summary>Adds the stage. It needs <see cref="StickinessOptions"/>, the stages of nodes and tickets, and takes a <see cref="CustomDialect"/> if there is one.</summary>
    public static IServiceCollection AddStickinessStage(this IServiceCollection services)
    {
        services.AddSingleton(provider => provider.GetService<CustomDialect>()?.Dialect ?? BuiltInDialects.Of(provider.GetRequiredService<StickinessOptions>().Dialect));
        services.AddSingleton(provider => new RouteCookie(provider.GetRequiredService<StickinessOptions>().CookieName, provider.GetRequiredService<GuardedDialect>(), IsSecure(provider)));
        services.AddSingleton(provider => new BindingCookie(provider.GetRequiredService<TicketScope>(), provider.GetRequiredService<ISigningKeys>(), IsSecure(provider)));
        services.AddSingleton(provider => new ApplicationCookie(provider.GetRequiredService<StickinessOptions>().ApplicationCookie, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<GuardedDialect>();
        services.AddSingleton<LiveTargets>();
        services.AddSingleton<StickinessReader>();
        services.AddSingleton<StickinessJudge>();
        services.AddSingleton<StickinessWriter>();
        services.AddSingleton<ObedienceWatch>();
        return services;
    }

    // Where the visitor's ticket may travel over plain http, so must what stands beside it.
    private static bool IsSecure(IServiceProvider provider) => !provider.GetRequiredService<TicketOptions>().InsecureAllowHttp;
}

/// <summary>A dialect of the app's own, which takes the place of the one that the options name.</summary>
internal sealed record CustomDialect(IAffinityDialect Dialect);
