using Affinity.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Nodes;

/// <summary>The node stage: who this instance is, who else lives, whether it takes visitors, and how it leaves.</summary>
internal static class NodeServices
{
    /// <summary>
    /// Adds the stage. It needs <see cref="NodeOptions"/>, <see cref="DrainOptions"/>, <see cref="BoundVisitors"/>, <see cref="INodeDirectory"/>, <see cref="AffinityMetrics"/> and <see cref="TimeProvider"/>, each registered as a singleton by others,
    /// and asks every <see cref="IReadinessCheck"/> that is registered.
    /// </summary>
    public static IServiceCollection AddNodeStage(this IServiceCollection services)
    {
        services.AddSingleton(s =>
        {
            var options = s.GetRequiredService<NodeOptions>();
            var node = new NodeMembership(NodeName.From(options.Id, Environment.MachineName), s.GetRequiredService<BoundVisitors>(), s.GetRequiredService<TimeProvider>())
            {
                Address = options.Address,
                Track = options.Track,
            };
            s.GetRequiredService<AffinityMetrics>().ObserveNode(() => node.Live.Count, () => node.Requests.InFlight, () => node.Bound.Count);
            return node;
        });
        services.AddSingleton<Heartbeat>();
        services.AddSingleton<NodeHealth>();
        services.AddHostedService<HeartbeatService>();
        services.AddHostedService<DrainService>();
        return services;
    }
}
