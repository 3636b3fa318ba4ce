using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>The nodes that a route cookie can lead to, made anew with each heartbeat and not with each request. Safe for concurrent use.</summary>
internal sealed class LiveTargets(GuardedDialect dialect, NodeMembership node)
{
    /// <summary>How many are remembered that are gone.</summary>
    public const int MaxGone = 256;

    private readonly Lock _oneAtATime = new();
    private Snapshot? _snapshot;

    /// <summary>This node first; the same object until the next heartbeat.</summary>
    public IReadOnlyList<RouteTarget> Now => Current.Targets;

    /// <summary>Who of the directory's last answer can be named: nodes for which the dialect makes no value, as they tell no address or it does not know them, are left out, or visitors would be given to somebody no cookie leads to. Empty before the first.</summary>
    public IReadOnlyList<NodeRecord> Nodes => Current.Nodes;

    /// <summary>Whether the dialect's values tell names, also of nodes that do not live.</summary>
    public bool SpellNames => dialect.SpellsNames;

    /// <summary>Who could be named at an earlier heartbeat and cannot be now, the last first; a node that is back with another address is there with its former one. The same object until that changes.</summary>
    public IReadOnlyList<RouteTarget> Gone => Current.Gone;

    private Snapshot Current
    {
        get
        {
            var live = node.Live;
            var snapshot = Volatile.Read(ref _snapshot);
            return snapshot is not null && ReferenceEquals(snapshot.Live, live) ? snapshot : Take(live);
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
        lock (_oneAtATime)
        {
            if (_snapshot is { } before && ReferenceEquals(before.Live, live))
            {
                return before;
            }

            var targets = RouteTargets.Of(dialect, new RouteTarget(node.Self, node.Address), live);
            var named = targets.Select(target => target.Node).ToHashSet();
            var snapshot = new Snapshot(live, [.. live.Where(known => named.Contains(known.Id))], targets, GoneSince(_snapshot, targets));
            Volatile.Write(ref _snapshot, snapshot);
            return snapshot;
        }
    }

    private static IReadOnlyList<RouteTarget> GoneSince(Snapshot? before, IReadOnlyList<RouteTarget> now)
    {
        if (before is null)
        {
            return [];
        }

        RouteTarget[] gone = [.. before.Targets.Concat(before.Gone).Except(now).Take(MaxGone)];
        return gone.SequenceEqual(before.Gone) ? before.Gone : gone;
    }

    private sealed record Snapshot(IReadOnlyList<NodeRecord> Live, IReadOnlyList<NodeRecord> Nodes, IReadOnlyList<RouteTarget> Targets, IReadOnlyList<RouteTarget> Gone);
}
