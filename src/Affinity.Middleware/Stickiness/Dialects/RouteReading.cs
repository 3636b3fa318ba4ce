using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>What a request's route cookie turned out to be.</summary>
public enum RouteReadingKind
{
    /// <summary>There is none.</summary>
    Absent,

    /// <summary>It names a node.</summary>
    Named,

    /// <summary>It is there and names no node: foreign, forged, over-long, or of a dialect whose values cannot name one.</summary>
    Unrecognised,
}

/// <summary>What a route cookie says. A visitor can write into it what they like: it is a hint, and at most its shape is right. <c>default</c> is <see cref="Absent"/>.</summary>
public readonly record struct RouteReading
{
    // Half the size of a NodeId?; every request carries one.
    private readonly NodeId _node;

    private RouteReading(RouteReadingKind kind, NodeId node) => (Kind, _node) = (kind, node);

    /// <summary>There is no route cookie.</summary>
    public static RouteReading Absent => default;

    /// <summary>There is one that names no node.</summary>
    public static RouteReading Unrecognised => new(RouteReadingKind.Unrecognised, default);

    /// <summary>Which of the three it is.</summary>
    public RouteReadingKind Kind { get; }

    /// <summary>The node, which need not live nor ever have lived; null unless <see cref="Kind"/> is <see cref="RouteReadingKind.Named"/>.</summary>
    public NodeId? Node => Kind == RouteReadingKind.Named ? _node : null;

    internal bool Names(NodeId node) => _node == node;

    /// <summary>The cookie names this node.</summary>
    /// <exception cref="InvalidOperationException">The node is <c>default(NodeId)</c>.</exception>
    public static RouteReading Named(NodeId node)
    {
        _ = node.Value;
        return new(RouteReadingKind.Named, node);
    }
}
