using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>The nodes that a route cookie can lead to, made anew with each heartbeat and not with each request. Safe for concurrent use.</summary>
internal sealed class LiveTargets(GuardedDialect dialect, NodeMembership node)
{
    private Snapshot? _snapshot;

    /// <summary>This node first; the same object until the next heartbeat.</summary>
    public IReadOnlyList<RouteTarget> Now => Current.Targets;

    /// <summary>Who of the directory's last answer can be named: nodes for which the dialect makes no value, as they tell no address or it does not know them, are left out, or visitors would be given to somebody no cookie leads to. Empty before the first.</summary>
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

    /// <summary>Null when the dialect makes no value for the node, or when it is not known to live.</summary>
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
        var targets = RouteTargets.Of(dialect, new RouteTarget(node.Self, node.Address), live);
        var named = targets.Select(target => target.Node).ToHashSet();
        return new Snapshot(live, [.. live.Where(known => named.Contains(known.Id))], targets);
    }

    private sealed record Snapshot(IReadOnlyList<NodeRecord> Live, IReadOnlyList<NodeRecord> Nodes, IReadOnlyList<RouteTarget> Targets);
}
