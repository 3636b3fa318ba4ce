using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Affinity.Backends.Memory;

/// <summary>One process: development and unit tests.</summary>
internal static class MemoryBackendServices
{
    public static IServiceCollection AddMemoryBackend(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<MemorySessionStore>();
        services.AddSingleton<MemoryNodeDirectory>();
        services.AddSingleton<MemoryKeyVault>();
        services.AddSingleton(new SharedBackend(StoreKind.Memory)
        {
            Sessions = provider => provider.GetRequiredService<MemorySessionStore>(),
            Announcements = provider => provider.GetRequiredService<MemorySessionStore>(),
            Nodes = provider => provider.GetRequiredService<MemoryNodeDirectory>(),
            Keys = provider => provider.GetRequiredService<MemoryKeyVault>(),
        });
        return services;
    }
}
