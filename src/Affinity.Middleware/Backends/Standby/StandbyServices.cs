using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.Standby;

/// <summary>A second store, and all that makes two of them one. Expects <see cref="StandbyStoreOptions"/> as a plain singleton.</summary>
internal static class StandbyServices
{
    /// <param name="services">Where to.</param>
    /// <param name="first">The store of the settings; asked only where there is a standby.</param>
    /// <param name="standby">The other one; null: there is none.</param>
    public static IServiceCollection AddStandby(this IServiceCollection services, Func<IServiceProvider, SharedSite> first, Func<IServiceProvider, SharedSite?> standby)
    {
        services.AddSingleton(provider => Create(provider, first, standby)!);
        services.AddSingleton(provider => provider.GetService<StandbyPair>()?.Watch!);
        services.AddHostedService<StandbyService>();
        return services;
    }

    private static StandbyPair? Create(IServiceProvider provider, Func<IServiceProvider, SharedSite> first, Func<IServiceProvider, SharedSite?> standby)
    {
        if (standby(provider) is not { } second)
        {
            return null;
        }

        var time = provider.GetRequiredService<TimeProvider>();
        var state = new StandbyState(new StandbyTimes(provider.GetRequiredService<StandbyStoreOptions>().MoveAfter), time);
        var endings = new StandbyEndings(time);
        var one = first(provider);
        return new StandbyPair(
            new SharedSite(
                new SwitchingSessionStore(one, second, state, endings),
                new SwitchingSessionAnnouncements(one, second, state),
                new SwitchingNodeDirectory(one, second, state, time),
                new SwitchingKeyVault(one, second, state)),
            new StandbyWatch(one, second, state, endings, time, provider.GetRequiredService<ILogger<StandbyWatch>>()),
            state);
    }
}

/// <summary>Two stores as one.</summary>
/// <param name="Site">What the stages use.</param>
/// <param name="Watch">Who looks after it.</param>
/// <param name="State">What is known of it.</param>
internal sealed record StandbyPair(SharedSite Site, StandbyWatch Watch, StandbyState State);
