using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Inspection;

/// <summary>The inspector: what an app's cookies are, for its operators. No request passes through it; it reads what the stages of tickets, stickiness and sessions write.</summary>
internal static class InspectionServices
{
    /// <summary>Adds <see cref="CookieInspector"/>. It needs the stages of tickets, stickiness and sessions.</summary>
    public static IServiceCollection AddInspector(this IServiceCollection services) => services.AddSingleton(provider => new CookieInspector(
        CreateScope(provider),
        provider.GetRequiredService<ISigningKeys>(),
        new SectionInspector(provider.GetRequiredService<TicketSeal>(), provider.GetRequiredService<SessionsOptions>()),
        provider.GetRequiredService<IAffinityDialect>(),
        () => provider.GetRequiredService<LiveTargets>().Now,
        provider.GetRequiredService<TimeProvider>()));

    private static InspectionScope CreateScope(IServiceProvider provider) => new(
        provider.GetRequiredService<TicketScope>().Application,
        [provider.GetRequiredService<TicketCookie>().Name],
        [provider.GetRequiredService<BindingCookie>().Name],
        provider.GetRequiredService<StickinessOptions>().CookieName)
    {
        OtherTicketNames = [.. InspectionNames.Tickets.Except([provider.GetRequiredService<TicketCookie>().Name], StringComparer.Ordinal)],
        OtherBindingNames = [.. InspectionNames.Bindings.Except([provider.GetRequiredService<BindingCookie>().Name], StringComparer.Ordinal)],
    };
}

/// <summary>The names that cookies have unless they are given others.</summary>
internal static class InspectionNames
{
    public static IReadOnlyList<string> Tickets { get; } = [TicketCookie.NameOf(new TicketOptions()), TicketCookie.NameOf(new TicketOptions { InsecureAllowHttp = true })];

    public static IReadOnlyList<string> Bindings { get; } = [.. Tickets.Select(BindingCookie.NameOf)];
}
