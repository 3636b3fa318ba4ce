using Affinity.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Nodes;

/// <summary>The node stage: who this instance is, who else lives, whether it takes visitors, and how it leaves.</summary>
internal static class NodeServices
{
    /// <summary>
    /// Adds the stage. It needs <see cref="NodeOptions"/>, <see cref="DrainOptions"/>, <see cref="INodeDirectory"/>, <see cref="AffinityMetrics"/> and <see cref="TimeProvider"/>, each registered as a singleton by others,
    /// and asks every <see cref="IReadinessCheck"/> that is registered.
    /// </summary>
    public static IServiceCollection AddNodeStage(this IServiceCollection services)
    {
        services.AddSingleton(s =>
        {
            var node = new NodeMembership(NodeName.From(s.GetRequiredService<NodeOptions>().Id, Environment.MachineName));
            s.GetRequiredService<AffinityMetrics>().ObserveNode(() => node.Live.Count, () => node.Requests.InFlight);
            return node;
        });
        services.AddSingleton<Heartbeat>();
        services.AddSingleton<NodeHealth>();
        services.AddHostedService<HeartbeatService>();
        services.AddHostedService<DrainService>();
        return services;
    }
}
