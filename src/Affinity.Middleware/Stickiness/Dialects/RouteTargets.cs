using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>Which nodes a dialect can name.</summary>
internal static class RouteTargets
{
    /// <summary>A snapshot of them, this node first. A peer without an address is no target for a dialect that is made of it.</summary>
    public static IReadOnlyList<RouteTarget> Of(IAffinityDialect dialect, RouteTarget self, IEnumerable<NodeRecord> live) =>
    [
        self,
        .. live
            .Where(node => node.Id != self.Node && (node.Address is not null || !dialect.NeedsAddress))
            .Select(node => new RouteTarget(node.Id, node.Address)),
    ];
}
