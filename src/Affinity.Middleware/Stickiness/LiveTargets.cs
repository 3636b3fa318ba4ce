using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>The nodes that a route cookie can lead to, made anew with each heartbeat and not with each request. Safe for concurrent use.</summary>
internal sealed class LiveTargets(IAffinityDialect dialect, NodeMembership node)
{
    private Snapshot? _snapshot;

    /// <summary>This node first; the same object until the next heartbeat.</summary>
    public IReadOnlyList<RouteTarget> Now
    {
        get
        {
            var live = node.Live;
            var snapshot = Volatile.Read(ref _snapshot);
            if (snapshot is null || !ReferenceEquals(snapshot.Live, live))
            {
                snapshot = new Snapshot(live, RouteTargets.Of(dialect, new RouteTarget(node.Self, node.Address), live));
                Volatile.Write(ref _snapshot, snapshot);
            }

            return snapshot.Targets;
        }
    }

    /// <summary>Null when the node has no address and the dialect needs one, or when it is not known to live.</summary>
    public RouteTarget? Find(NodeId id)
    {
        var targets = Now;
        for (var i = 0; i < targets.Count; i++)
        {
            if (targets[i].Node == id)
            {
                return targets[i];
            }
        }

        return null;
    }

    private sealed record Snapshot(IReadOnlyList<NodeRecord> Live, IReadOnlyList<RouteTarget> Targets);
}
