using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>The nodes that a route cookie can lead to, made anew with each heartbeat and not with each request. Safe for concurrent use.</summary>
internal sealed class LiveTargets(IAffinityDialect dialect, NodeMembership node)
{
    private Snapshot? _snapshot;

    /// <summary>This node first; the same object until the next heartbeat.</summary>
    public IReadOnlyList<RouteTarget> Now => Current.Targets;

    /// <summary>Who of the directory's last answer can be named: with a dialect that needs addresses, nodes that tell none are left out, or visitors would be given to somebody no cookie leads to. Empty before the first.</summary>
    public IReadOnlyList<NodeRecord> Nodes => Current.Nodes;

    private Snapshot Current
    {
        get
        {
            var live = node.Live;
            var snapshot = Volatile.Read(ref _snapshot);
            if (snapshot is null || !ReferenceEquals(snapshot.Live, live))
            {
                snapshot = Take(live);
                Volatile.Write(ref _snapshot, snapshot);
            }

            return snapshot;
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

    private Snapshot Take(IReadOnlyList<NodeRecord> live)
    {
        var nodes = dialect.NeedsAddress ? [.. live.Where(known => known.Id == node.Self || known.Address is not null)] : live;
        return new Snapshot(live, nodes, RouteTargets.Of(dialect, new RouteTarget(node.Self, node.Address), live));
    }

    private sealed record Snapshot(IReadOnlyList<NodeRecord> Live, IReadOnlyList<NodeRecord> Nodes, IReadOnlyList<RouteTarget> Targets);
}
