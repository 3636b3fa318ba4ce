namespace Affinity.Nodes;

/// <summary>
/// What this node knows of itself and of the others, kept in memory: written by the heartbeat and the drain, read by every request.
/// Safe for concurrent use; what is read is never older than the last beat.
/// </summary>
internal sealed class NodeMembership(NodeId self)
{
    private volatile Standing _standing = new(Live: [], HoldsName: false, Problem: null);
    private volatile bool _draining;

    public NodeId Self { get; } = self;

    /// <summary>Random per process start.</summary>
    public Guid Incarnation { get; } = Guid.NewGuid();

    public NodeState State => _draining ? NodeState.Draining : NodeState.Active;

    public RequestCount Requests { get; } = new();

    /// <summary>Every living node as of the last beat that the directory answered, an immutable snapshot; empty before the first.</summary>
    public IReadOnlyList<NodeRecord> Live => _standing.Live;

    /// <summary>
    /// Whether the directory's last answer gave this node its name. Stays true while the directory is away: an outage of the store must not take the whole farm out.
    /// </summary>
    public bool HasJoined => _standing.HoldsName;

    /// <summary>One sentence: the name is taken, or the directory does not answer; null when all is well or nothing has been tried yet.</summary>
    public string? Problem => _standing.Problem;

    /// <summary>Whether another node lived when the directory last answered.</summary>
    public bool HasPeers => _standing.Live.Any(n => n.Id != Self);

    /// <summary>What to tell the directory now.</summary>
    public NodeRecord ToRecord() => new(Self, Incarnation, State, Requests.InFlight);

    /// <summary>The directory holds this node under its name.</summary>
    public void Joined(IReadOnlyList<NodeRecord> live) => _standing = new([.. live], HoldsName: true, Problem: null);

    /// <summary>Another incarnation lives under this node's name.</summary>
    public void NameTaken(IReadOnlyList<NodeRecord> live) =>
        _standing = new([.. live], HoldsName: false, $"The name '{Self}' belongs to another live node: set Affinity:Node:Id to a name of its own, or wait until the other one counts as dead.");

    /// <summary>The directory has not answered since a point in time; what was known before stays.</summary>
    public void DirectoryAway(DateTimeOffset since) =>
        _standing = _standing with { Problem = $"The node directory has not answered since {since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z." };

    /// <summary>From now on the node takes no new visitors. There is no way back.</summary>
    public void BeginDrain() => _draining = true;

    // One reference, so that a reader never sees the parts of two beats.
    private sealed record Standing(NodeRecord[] Live, bool HoldsName, string? Problem);
}
