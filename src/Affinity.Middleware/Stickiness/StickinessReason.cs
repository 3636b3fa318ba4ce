using System.Diagnostics;

namespace Affinity.Stickiness;

/// <summary>Why a decision was made.</summary>
internal enum StickinessReason
{
    /// <summary>The visitor is where they are bound.</summary>
    BoundHere,

    /// <summary>There is neither a session nor a track, nor the app's cookie.</summary>
    NothingToBindFor,

    /// <summary>Which nodes live is not known yet.</summary>
    DirectoryUnknown,

    /// <summary>There would be a reason to move, but no other node takes visitors.</summary>
    NoPeer,

    /// <summary>A draining node serves an unbound visitor and leaves the next choice to the balancer.</summary>
    ServedUnbound,

    /// <summary>A draining node still keeps those who are bound to it.</summary>
    DrainKeepsBound,

    /// <summary>The request came to another node than the bound one, which lives.</summary>
    OtherNode,

    /// <summary>The balancer does not obey: all corrections are used up.</summary>
    NotObeyed,

    /// <summary>A visitor without a binding.</summary>
    NewVisitor,

    /// <summary>The binding's time has passed.</summary>
    Lapsed,

    /// <summary>The binding stands, its route cookie is missing.</summary>
    RouteMissing,

    /// <summary>The route cookie names no node.</summary>
    RouteUnreadable,

    /// <summary>The route cookie leads elsewhere than the binding.</summary>
    RouteDisagrees,

    /// <summary>The signed binding is missing, or lacks what the options ask for by now.</summary>
    BindingIncomplete,

    /// <summary>The bound node is dead, or was never there.</summary>
    NodeGone,

    /// <summary>The bound node, another one, is draining.</summary>
    NodeDraining,

    /// <summary>The node runs another version of the app than the visitor started with.</summary>
    TrackMismatch,

    /// <summary>No node of the visitor's version takes visitors.</summary>
    TrackGone,

    /// <summary>The time that a visitor stays on their version has passed, and another version takes visitors.</summary>
    TrackEnded,

    /// <summary>This node is draining.</summary>
    Drain,

    /// <summary>This node has more load than the others.</summary>
    Load,

    /// <summary>The app's cookie that the binding follows is gone.</summary>
    ApplicationCookieGone,
}

/// <summary>Reasons and decisions as metrics tell them. Never renamed.</summary>
internal static class StickinessReasons
{
    public static string Word(this StickinessReason reason) => reason switch
    {
        StickinessReason.BoundHere => "bound_here",
        StickinessReason.NothingToBindFor => "nothing_to_bind_for",
        StickinessReason.DirectoryUnknown => "directory_unknown",
        StickinessReason.NoPeer => "no_peer",
        StickinessReason.ServedUnbound => "served_unbound",
        StickinessReason.DrainKeepsBound => "drain_keeps_bound",
        StickinessReason.OtherNode => "other_node",
        StickinessReason.NotObeyed => "not_obeyed",
        StickinessReason.NewVisitor => "new_visitor",
        StickinessReason.Lapsed => "lapsed",
        StickinessReason.RouteMissing => "route_missing",
        StickinessReason.RouteUnreadable => "route_unreadable",
        StickinessReason.RouteDisagrees => "route_disagrees",
        StickinessReason.BindingIncomplete => "binding_incomplete",
        StickinessReason.NodeGone => "node_gone",
        StickinessReason.NodeDraining => "node_draining",
        StickinessReason.TrackMismatch => "track_mismatch",
        StickinessReason.TrackGone => "track_gone",
        StickinessReason.TrackEnded => "track_ended",
        StickinessReason.Drain => "drain",
        StickinessReason.Load => "load",
        StickinessReason.ApplicationCookieGone => "application_cookie_gone",
        _ => throw new UnreachableException(),
    };

    public static string Word(this DecisionKind kind) => kind switch
    {
        DecisionKind.Keep => "keep",
        DecisionKind.Assign => "assign",
        DecisionKind.Reassign => "reassign",
        DecisionKind.Release => "release",
        DecisionKind.Refuse => "refuse",
        _ => throw new UnreachableException(),
    };
}
