using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Affinity.Backends.Memory;

/// <summary>One process: development and unit tests.</summary>
internal static class MemoryBackendServices
{
    public static IServiceCollection AddMemoryBackend(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ISessionStore, MemorySessionStore>();
        services.AddSingleton<INodeDirectory, MemoryNodeDirectory>();
        services.AddSingleton<IKeyVault, MemoryKeyVault>();
        return services;
    }
}
