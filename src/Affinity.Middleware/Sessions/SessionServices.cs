using Affinity.Diagnostics;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>Registers what the session stage needs; its options, the clock and a backend's <see cref="ISessionStore"/> come from the root.</summary>
internal static class SessionServices
{
    /// <param name="services">Where to.</param>
    /// <param name="whenStoreMayHaveLost">Called once: from then on its second argument is called, with the reason, whenever there is a sign that the store has lost data.</param>
    /// <param name="otherNodes">How many nodes live beside this one; asked whenever something is missed.</param>
    public static IServiceCollection AddSessionStage(this IServiceCollection services, Action<IServiceProvider, Action<string>> whenStoreMayHaveLost, Func<IServiceProvider, int> otherNodes)
    {
        services.AddSingleton(provider => new OtherNodes(() => otherNodes(provider)));
        services.AddSingleton(provider => new GuardedSessionStore(
            provider.GetRequiredService<ISessionStore>(),
            provider.GetRequiredService<SessionsOptions>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<AffinityMetrics>(),
            provider.GetRequiredService<ILogger<GuardedSessionStore>>(),
            provider.GetRequiredService<StoreSilence>()));
        services.AddSingleton<StoreSilence>();
        services.AddSingleton(CreateNearCache);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionLosses>(provider, Guarded(provider)));
        services.AddSingleton(provider => CreateHealer(provider, whenStoreMayHaveLost));
        services.AddHostedService(provider => provider.GetRequiredService<SessionHealer>());
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionLoader>(provider, Guarded(provider)));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionSaveLoop>(provider, Guarded(provider)));
        services.AddSingleton<JournalKeeper>();
        services.AddSingleton<SessionReplay>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ReplicationWatch>(provider, Guarded(provider)));
        services.AddSingleton<SessionOutage>();
        services.AddSingleton<CookieContent>();
        services.AddSingleton(CreateCarrier);
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SessionTouchQueue>(provider, Guarded(provider)));
        services.AddHostedService(provider => provider.GetRequiredService<SessionTouchQueue>());
        services.AddSingleton<IDeveloperPageExceptionFilter, DeveloperPageTellsFailure>();
        RenewSessionsAtSignIn(services);
        return services;
    }

    private static NearCache CreateNearCache(IServiceProvider provider)
    {
        var near = ActivatorUtilities.CreateInstance<NearCache>(provider);
        provider.GetService<ISessionAnnouncements>()?.Listen(near.Refuse);
        return near;
    }

    private static ISessionCarrier CreateCarrier(IServiceProvider provider)
    {
        var options = provider.GetRequiredService<SessionsOptions>();
        return options.Carrier != SessionCarrier.Cookie ? CreateLifecycle(provider, options)
            : options.Cookie.Floor == ReplayFloor.Store ? ActivatorUtilities.CreateInstance<CookieCarrier>(provider, ActivatorUtilities.CreateInstance<SessionFloor>(provider, Guarded(provider)))
            : ActivatorUtilities.CreateInstance<CookieCarrier>(provider);
    }

    private static SessionLifecycle CreateLifecycle(IServiceProvider provider, SessionsOptions options) => options.ReadFrameworkSessions
        ? ActivatorUtilities.CreateInstance<SessionLifecycle>(provider, Guarded(provider), CreateFormer(provider))
        : ActivatorUtilities.CreateInstance<SessionLifecycle>(provider, Guarded(provider));

    private static FrameworkSessions CreateFormer(IServiceProvider provider) => provider.GetService<IDistributedCache>() is null
        ? throw new InvalidOperationException("Affinity:Sessions:ReadFrameworkSessions is on, but the app has registered no IDistributedCache: register the cache that the framework's sessions lie in, as before, or leave the setting out.")
        : ActivatorUtilities.CreateInstance<FrameworkSessions>(provider, ActivatorUtilities.CreateInstance<FrameworkCookie>(provider));

    private static SessionHealer CreateHealer(IServiceProvider provider, Action<IServiceProvider, Action<string>> whenStoreMayHaveLost)
    {
        var healer = ActivatorUtilities.CreateInstance<SessionHealer>(provider, Guarded(provider));
        provider.GetService<ISessionAnnouncements>()?.ListenForWanted(healer.Want);
        whenStoreMayHaveLost(provider, healer.CheckAll);
        return healer;
    }

    /// <summary>
    /// Puts <see cref="AuthenticationRenewsSession"/> around the app's authentication service, or around the framework's own, which the app's later <c>AddAuthentication</c> then finds in place.
    /// </summary>
    private static void RenewSessionsAtSignIn(IServiceCollection services)
    {
        var byApp = services.LastOrDefault(IsAuthentication);
        var inner = byApp ?? new ServiceCollection().AddAuthenticationCore().Last(IsAuthentication);
        services.RemoveAll<IAuthenticationService>();
        services.Add(ServiceDescriptor.Describe(
            typeof(IAuthenticationService),
            // None in an app without authentication, so that the framework says by itself what is missing.
            provider => byApp is null && provider.GetService<IAuthenticationSchemeProvider>() is null
                ? null!
                : ActivatorUtilities.CreateInstance<AuthenticationRenewsSession>(provider, Create(inner, provider)),
            inner.Lifetime));

        static bool IsAuthentication(ServiceDescriptor descriptor) => descriptor.ServiceType == typeof(IAuthenticationService) && !descriptor.IsKeyedService;
    }

    private static GuardedSessionStore Guarded(IServiceProvider provider) => provider.GetRequiredService<GuardedSessionStore>();

    private static object Create(ServiceDescriptor descriptor, IServiceProvider provider) =>
        descriptor.ImplementationInstance
        ?? descriptor.ImplementationFactory?.Invoke(provider)
        ?? ActivatorUtilities.CreateInstance(provider, descriptor.ImplementationType!);
}
