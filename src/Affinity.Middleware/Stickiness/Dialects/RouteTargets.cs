using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>Which nodes a dialect can name.</summary>
internal static class RouteTargets
{
    // Of the form that real tokens have.
    private const string Token = "Trying_out_Token";

    /// <summary>
    /// A snapshot of them, this node first, which was tried when the app started. A peer without an address is no target for a dialect that is made of it, and neither is one for which the dialect makes no value.
    /// </summary>
    public static IReadOnlyList<RouteTarget> Of(GuardedDialect dialect, RouteTarget self, IEnumerable<NodeRecord> live) =>
    [
        self,
        .. live
            .Where(node => node.Id != self.Node && (node.Address is not null || !dialect.NeedsAddress))
            .Select(node => new RouteTarget(node.Id, node.Address))
            .Where(target => dialect.Write(target, Token) is not null),
    ];
}
