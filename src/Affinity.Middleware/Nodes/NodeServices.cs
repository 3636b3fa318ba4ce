using Affinity.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity.Nodes;

/// <summary>The node stage: who this instance is, who else lives, whether it takes visitors, and how it leaves.</summary>
internal static class NodeServices
{
    /// <summary>
    /// Adds the stage. It needs <see cref="NodeOptions"/>, <see cref="DrainOptions"/>, <see cref="AgentCheckOptions"/>, <see cref="BoundVisitors"/>, <see cref="INodeDirectory"/>, <see cref="AffinityMetrics"/> and <see cref="TimeProvider"/>, each registered as a singleton by others,
    /// and asks every <see cref="IReadinessCheck"/> that is registered. With <see cref="AgreedSettings"/> it tells which settings differ between nodes.
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
                Sight = options.Sight,
                DeadAfter = options.DeadAfter,
                Settings = s.GetService<AgreedSettings>() ?? AgreedSettings.None,
            };
            s.GetRequiredService<AffinityMetrics>().ObserveNode(() => node.Live.Count, () => node.Requests.InFlight, () => node.Bound.Count);
            return node;
        });
        services.AddSingleton<Heartbeat>();
        services.AddSingleton<NodeHealth>();
        services.AddHealthChecks().AddCheck<FarmHealthCheck>(FarmHealthCheck.Name);
        services.AddSingleton<FarmStatus>();
        services.AddSingleton<NodeCommands>();
        services.AddSingleton<AgentReport>();

        // Before the heartbeat: an app that cannot start for its port must not have taken a name yet.
        services.AddHostedService<AgentCheckService>();
        services.AddHostedService<HeartbeatService>();
        services.AddHostedService<DrainService>();
        return services;
    }
}
