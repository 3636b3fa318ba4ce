using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>How the app's cookie stands that a binding may follow; without <see cref="BindingLifetime.Application"/> it is not looked at.</summary>
internal enum ApplicationCookieState
{
    Absent,
    CameWithRequest,

    /// <summary>This response sets it, for the first time or again.</summary>
    Issued,

    /// <summary>This response removes it.</summary>
    Removed,
}

/// <summary>Everything that a decision depends on.</summary>
internal readonly record struct StickinessFacts
{
    public required StickinessOptions Options { get; init; }

    public required RouteReading Route { get; init; }

    /// <summary>The signed binding; null: none, or one that is refused.</summary>
    public Binding? Binding { get; init; }

    /// <summary>This node as it stands now; a record of its name in <see cref="Live"/>, be it its own or of a former life, is older and not looked at.</summary>
    public required NodeRecord Self { get; init; }

    /// <summary>What a visitor is bound by whose route cookie names this node; made once, as most are. Null: it is made when it is needed.</summary>
    public Binding? Here { get; init; }

    /// <summary>The living nodes as of the last beat; empty: not known, so nobody is taken for dead.</summary>
    public required IReadOnlyList<NodeRecord> Live { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>Whether there is something to be bound for: a session or a track.</summary>
    public bool Something { get; init; }

    public ApplicationCookieState ApplicationCookie { get; init; }

    public UnboundRequests Unbound { get; init; }

    /// <summary>Whether this node, when draining, still keeps the visitors who are bound to it: the first part of a drain moves only the others.</summary>
    public bool KeepsBound { get; init; }

    /// <summary>Whether the request may still be refused: true before the app has run, false when its response starts.</summary>
    public bool MayRefuse { get; init; }

    /// <summary>Whether <see cref="LoadRelease"/> has a binding of this node to give away.</summary>
    public bool ReleaseLoad { get; init; }

    /// <summary>Uniform over all values, new for each request; chooses among nodes.</summary>
    public ulong Random { get; init; }
}
