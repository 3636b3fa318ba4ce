namespace Affinity.Nodes;

/// <summary>
/// What this node knows of itself and of the others, kept in memory: written by the heartbeat and the drain, read by every request.
/// Safe for concurrent use; what is read is never older than the last beat.
/// </summary>
internal sealed class NodeMembership(NodeId self, BoundVisitors bound, TimeProvider time)
{
    private volatile Standing _standing = new(Live: [], FormatRules.First, HoldsName: false, Answers: false, Problem: null);
    private volatile bool _serves;
    private Leave? _leave;
    private NodeRecord? _told;
    private Memory? _remembered;
    private Action<string>? _storeMayHaveLost;

    public NodeId Self { get; } = self;

    /// <summary>Random per process start.</summary>
    public Guid Incarnation { get; } = Guid.NewGuid();

    /// <summary>
    /// How many intervals after the first beat the second one comes: 0.5 to 1.5, random per process start, so that nodes which start together do not beat in step. Not sooner, as nothing has changed by then;
    /// not later, so that one lost beat kills no node here either.
    /// </summary>
    public double Phase { get; init; } = 0.5 + ((Guid.NewGuid().ToByteArray()[0] + 0.5) / 256);

    /// <summary>As the balancer dials it; null when not given.</summary>
    public string? Address { get; init; }

    /// <summary>The version of the app; null when not given.</summary>
    public string? Track { get; init; }

    /// <summary>What the directory can tell of other nodes.</summary>
    public PeerSight Sight { get; init; }

    /// <summary>After this time without a beat a node counts as dead.</summary>
    public TimeSpan DeadAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Up to which level this node reads and could write the forms of what nodes share.</summary>
    public int FormatLevel { get; init; } = FormatRules.Newest;

    /// <summary>What this node has of the settings that all must agree on.</summary>
    public AgreedSettings Settings { get; init; } = AgreedSettings.None;

    /// <summary>In which of them others differ, as of the last beat that the directory answered.</summary>
    public IReadOnlyList<SettingDrift> Drift => _standing.Drift;

    /// <summary>Whether it drains. A request that has come to a node that is still starting is served as by any other.</summary>
    public NodeState State => Volatile.Read(ref _leave) is null ? NodeState.Active : NodeState.Draining;

    /// <summary>What the others are told.</summary>
    public NodeState ToldState => State == NodeState.Active && !_serves ? NodeState.Starting : State;

    /// <summary>Whether the node has begun to take visitors; from then on for good.</summary>
    public bool Serves => _serves;

    /// <summary>Whether it drains in order to stop, from which there is no way back.</summary>
    public bool IsStopping => Volatile.Read(ref _leave) is { Stops: true };

    /// <summary>For how long it has been draining; null when it takes visitors.</summary>
    public TimeSpan? DrainingFor => Volatile.Read(ref _leave) is { } leave ? time.GetElapsedTime(leave.Since) : null;

    /// <summary>Whether it drains by command although it is known that no other node takes visitors: if it did not take them, nobody would.</summary>
    public bool IsLastToServe => State == NodeState.Draining && !IsStopping && Sight != PeerSight.Blind && !HasActivePeers;

    public RequestCount Requests { get; } = new();

    public BoundVisitors Bound { get; } = bound;

    /// <summary>Every living node as of the last beat that the directory answered, an immutable snapshot, the same object until the next one; empty before the first.</summary>
    public IReadOnlyList<NodeRecord> Live => _standing.Live;

    /// <summary>The level that this node writes: one that every node can read which lived at the last beat that the directory answered; the lowest before that.</summary>
    public int LevelToWrite => _standing.Level;

    /// <summary>
    /// Whether the directory's last answer gave this node its name. Stays true while the directory is away: an outage of the store must not take the whole farm out.
    /// </summary>
    public bool HasJoined => _standing.HoldsName;

    /// <summary>Whether the directory answered the last beat.</summary>
    public bool DirectoryAnswers => _standing.Answers;

    /// <summary>One sentence: the name is taken, or the directory does not answer; null when all is well or nothing has been tried yet.</summary>
    public string? Problem => _standing.Problem;

    /// <summary>Whether another node lived when the directory last answered.</summary>
    public bool HasPeers => Others(_standing.Live) > 0;

    /// <summary>How many other nodes lived when the directory last answered, or within <see cref="DeadAfter"/> before that: one that has lost its data fills again with the next beats.</summary>
    public int PeersLately => _standing.Lately.Count;

    /// <summary>Whether another node took visitors then; for a while after the directory has lost its data also whether one did before that.</summary>
    public bool HasActivePeers => AnyTakesVisitors(_standing.Live) || Volatile.Read(ref _remembered) is { } loss && time.GetElapsedTime(loss.Since) < DeadAfter;

    /// <summary>This node with its state of now and its load of the last beat; costs a request nothing.</summary>
    public NodeRecord Record
    {
        get
        {
            var told = Volatile.Read(ref _told);
            return told is not null && told.State == State && told.Stopping == IsStopping ? told : ToRecord();
        }
    }

    /// <summary>The server listens, and nothing is missing any more: the others may send visitors.</summary>
    public void BeginServing() => _serves = true;

    /// <summary>This node as it stands now, as the directory is told.</summary>
    public NodeRecord ToRecord()
    {
        var record = new NodeRecord(Self, Incarnation, State, Requests.InFlight) { Bound = Bound.Count, Address = Address, Track = Track, Stopping = IsStopping, FormatLevel = FormatLevel, Settings = _standing.TellsAll ? Settings.Text : Settings.Short };
        Volatile.Write(ref _told, record);
        var told = ToldState;
        return told == record.State ? record : record with { State = told };
    }

    /// <summary>The directory holds this node under its name.</summary>
    public void Joined(IReadOnlyList<NodeRecord> live)
    {
        var trusted = Trusted(live);
        _standing = new(trusted, FormatRules.ToWrite(FormatLevel, trusted), HoldsName: true, Answers: true, Problem: null) { Lately = Most(Others(trusted)), TookVisitorsBefore = AnyTakesVisitors(_standing.Live), Drift = DriftFrom(trusted), TellsAll = DriftRules.AnyDiffers(Settings, trusted.Where(node => node.Id != Self)) };
    }

    /// <summary>The directory no longer had this node's record: other nodes may live that it does not name until their next beat.</summary>
    public void Forgotten()
    {
        if (_standing.TookVisitorsBefore)
        {
            Volatile.Write(ref _remembered, new(time.GetTimestamp()));
        }
    }

    /// <summary>Whom to tell, on the heartbeat's thread, that the directory may have lost what it had acknowledged, with the reason in words: it no longer had this node's record, or is another server's history.</summary>
    public void OnStoreMayHaveLost(Action<string> tell) => _storeMayHaveLost += tell;

    public void TellStoreMayHaveLost(string why) => _storeMayHaveLost?.Invoke(why);

    /// <summary>Another incarnation lives under this node's name.</summary>
    public void NameTaken(IReadOnlyList<NodeRecord> live) =>
        _standing = new(Trusted(live), FormatRules.ToWrite(FormatLevel, live), HoldsName: false, Answers: true, $"The name '{Self}' belongs to another live node: set Affinity:Node:Id to a name of its own, or wait until the other one counts as dead.") { Lately = Most(Others(live)) };

    /// <summary>The directory has not answered since a point in time; what was known before stays.</summary>
    public void DirectoryAway(DateTimeOffset since) =>
        _standing = _standing with { Answers = false, Problem = $"The node directory has not answered since {since.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z." };

    /// <summary>From now on the node takes no new visitors. A drain that runs already goes on, and can no longer be taken back if it stops now.</summary>
    /// <returns>Whether anything changed.</returns>
    public bool BeginDrain(bool stops)
    {
        while (true)
        {
            var leave = Volatile.Read(ref _leave);
            if (leave is not null && (leave.Stops || !stops))
            {
                return false;
            }

            var next = new Leave(leave?.Since ?? time.GetTimestamp(), stops);
            if (ReferenceEquals(Interlocked.CompareExchange(ref _leave, next, leave), leave))
            {
                return true;
            }
        }
    }

    /// <summary>The node takes visitors again; not when it is about to stop.</summary>
    /// <returns>Whether anything changed.</returns>
    public bool EndDrain() =>
        Volatile.Read(ref _leave) is { Stops: false } leave && ReferenceEquals(Interlocked.CompareExchange(ref _leave, null, leave), leave);

    /// <summary>What no node tells counts as not told: somebody else has written it into the directory, and it would go into cookies and choices.</summary>
    private static NodeRecord[] Trusted(IReadOnlyList<NodeRecord> live) =>
    [
        .. live.Select(node => node with
        {
            InFlight = Math.Max(node.InFlight, 0),
            Bound = Math.Max(node.Bound, 0),
            Address = NodeOptionsValidator.IsAddress(node.Address) ? node.Address : null,
            Track = NodeId.TryParse(node.Track, out _) ? node.Track : null,
            FormatLevel = Math.Max(node.FormatLevel, FormatRules.First),
            Settings = AgreedSettings.Read(node.Settings) is null ? null : node.Settings,
        }),
    ];

    /// <summary>The same object while nothing changes.</summary>
    private IReadOnlyList<SettingDrift> DriftFrom(NodeRecord[] live)
    {
        var (before, now) = (_standing.Drift, DriftRules.Compare(Settings, live.Where(node => node.Id != Self)));
        return DriftRules.AreSame(before, now) ? before : now;
    }

    private (int Count, long At) Most(int others)
    {
        var (before, at) = _standing.Lately;
        return others >= before ? (others, time.GetTimestamp())
            : time.GetElapsedTime(at) < DeadAfter ? (before, at)
            : (Math.Max(others, Others(_standing.Live)), time.GetTimestamp()); // a directory that was away for longer knows nobody at first
    }

    private bool AnyTakesVisitors(NodeRecord[] live) => live.Any(node => node.Id != Self && node.State == NodeState.Active);

    private int Others(IReadOnlyList<NodeRecord> live) => live.Count(node => node.Id != Self);

    // One reference, so that a reader never sees the parts of two beats.
    private sealed record Standing(NodeRecord[] Live, int Level, bool HoldsName, bool Answers, string? Problem)
    {
        /// <summary>The most others that lived within a while, and when they last did.</summary>
        public (int Count, long At) Lately { get; init; }

        /// <summary>Whether one of them took visitors.</summary>
        public bool TookVisitorsBefore { get; init; }

        public IReadOnlyList<SettingDrift> Drift { get; init; } = [];

        /// <summary>Whether this node tells all its settings one by one.</summary>
        public bool TellsAll { get; init; }
    }

    private sealed record Leave(long Since, bool Stops);

    private sealed record Memory(long Since);
}
