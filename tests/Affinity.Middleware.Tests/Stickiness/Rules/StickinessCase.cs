using Affinity.Nodes;
using Affinity.Stickiness;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

/// <summary>One row of the table in docs/stickiness.md: the facts, and what is decided.</summary>
internal sealed record StickinessCase(string Name, StickinessFacts Facts, DecisionKind Kind, string Reason, string? Target = null)
{
    private static readonly StickinessOptions Follow = new();
    private static readonly StickinessOptions Stay = new() { OnOtherNode = OtherNodePolicy.Keep };
    private static readonly StickinessOptions Timed = new() { Lifetime = BindingLifetime.Duration };
    private static readonly StickinessOptions WithApp = new() { Lifetime = BindingLifetime.Application, ApplicationCookie = "SHOP" };
    private static readonly StickinessOptions Always = new() { Bind = BindMoment.Always };
    private static readonly StickinessOptions Theirs = new() { Ownership = RouteOwnership.Balancer };
    private static readonly StickinessOptions Learned = new() { Ownership = RouteOwnership.Learned, OnOtherNode = OtherNodePolicy.Keep };

    private static readonly StickinessFacts New = Visitor();
    private static readonly StickinessFacts Here = New with { Route = Route("a") };
    private static readonly StickinessFacts OnB = New with { Route = Route("b") };
    private static readonly StickinessFacts Draining = New with { Self = Node("a", NodeState.Draining) };
    private static readonly NodeRecord[] Loaded = [Node("a", track: "blue"), Node("b", track: "green"), Node("c", track: "blue", bound: 20)];
    private static readonly StickinessFacts Blue = New with
    {
        Self = Node("a", track: "blue"), Live = [Node("a", track: "blue"), Node("b", track: "green"), Node("c", track: "blue")],
        Route = Route("a"), Binding = Bound("a", "blue"),
    };

    public static IReadOnlyList<StickinessCase> All { get; } =
    [
        // No cookie.
        new("no cookie, with a session", New, DecisionKind.Assign, "new_visitor", "a"),
        new("no cookie, no session", New with { Something = false }, DecisionKind.Keep, "nothing_to_bind_for"),
        new("no cookie, no session, Bind is Always", Visitor(Always) with { Something = false }, DecisionKind.Assign, "new_visitor", "a"),
        new("forged or foreign cookie, with a session", New with { Route = RouteReading.Unrecognised }, DecisionKind.Assign, "route_unreadable", "a"),
        new("forged or foreign cookie, no session", New with { Route = RouteReading.Unrecognised, Something = false }, DecisionKind.Keep, "nothing_to_bind_for"),

        // This node, another node.
        new("bound to this node", Here, DecisionKind.Keep, "bound_here"),
        new("bound to this node, whose former life is still listed as draining", Here with { Live = [Node("a", NodeState.Draining) with { Incarnation = Guid.NewGuid() }, Node("b")] }, DecisionKind.Keep, "bound_here"),
        new("bound to this node, the list of nodes is not known yet", Here with { Live = [] }, DecisionKind.Keep, "bound_here"),
        new("bound to another node, the list of nodes is not known yet", OnB with { Live = [] }, DecisionKind.Keep, "directory_unknown"),
        new("bound to another live node", OnB, DecisionKind.Reassign, "other_node", "a"),
        new("bound to another live node, OnOtherNode is Keep", OnB with { Options = Stay }, DecisionKind.Keep, "other_node"),
        new("bound to another node that was restarted under its name", OnB with { Options = Stay, Live = [Node("a"), Node("b") with { Incarnation = Guid.NewGuid() }] }, DecisionKind.Keep, "other_node"),
        new("bound to another node that is draining", OnB with { Live = [Node("a"), Node("b", NodeState.Draining)] }, DecisionKind.Reassign, "node_draining", "a"),
        new("bound to another node that was restarted and is starting", OnB with { Live = [Node("a"), Node("b", NodeState.Starting)] }, DecisionKind.Reassign, "node_gone", "a"),
        new("bound to a node that is dead or was never there", OnB with { Live = [Node("a")] }, DecisionKind.Reassign, "node_gone", "a"),
        new("bound to a node that is dead, and the session has ended", OnB with { Live = [Node("a")], Something = false }, DecisionKind.Release, "nothing_to_bind_for"),
        new("the old node is back after a fail-over", Here with { Live = [Node("a"), Node("b")] }, DecisionKind.Keep, "bound_here"),

        // Cookie and signed binding differ.
        new("signed binding here, no route cookie", Visitor(Timed) with { Binding = Bound("a") with { Until = Now.AddMinutes(5) } }, DecisionKind.Assign, "route_missing", "a"),
        new("signed binding here, forged route cookie to another node", Visitor(Timed) with { Route = Route("b"), Binding = Bound("a") with { Until = Now.AddMinutes(5) } }, DecisionKind.Assign, "route_disagrees", "a"),
        new("the same, corrected as often as allowed", Visitor(Timed) with { Route = Route("b"), Binding = Bound("a") with { Until = Now.AddMinutes(5), Repairs = 3 } }, DecisionKind.Keep, "not_obeyed"),
        new("the balancer's own cookie, bound here", Visitor(Theirs) with { Route = RouteReading.Unrecognised, Binding = Bound("a") }, DecisionKind.Keep, "bound_here"),
        new("the balancer's own cookie, sent to another node", Visitor(Theirs) with { Route = RouteReading.Unrecognised, Binding = Bound("b") }, DecisionKind.Reassign, "other_node", "a"),
        new("Ownership is Learned, no route cookie, sent to another node, OnOtherNode is Keep", Visitor(Learned) with { Binding = Bound("b") }, DecisionKind.Keep, "other_node"),
        new("Ownership is Learned, no route cookie, bound here, corrected as often as allowed", Visitor(Learned) with { Binding = Bound("a") with { Repairs = 3 } }, DecisionKind.Assign, "route_missing", "a"),

        // Lifetimes.
        new("Duration, still running", Visitor(Timed) with { Route = Route("a"), Binding = Bound("a") with { Until = Now.AddSeconds(1) } }, DecisionKind.Keep, "bound_here"),
        new("Duration, has passed", Visitor(Timed) with { Route = Route("a"), Binding = Bound("a") with { Until = Now } }, DecisionKind.Assign, "lapsed", "a"),
        new("Duration, has passed, and the session has ended", Visitor(Timed) with { Something = false, Route = Route("a"), Binding = Bound("a") with { Until = Now } }, DecisionKind.Release, "lapsed"),
        new("Application, its cookie came along", Visitor(WithApp) with { Route = Route("a"), Binding = Bound("a"), ApplicationCookie = ApplicationCookieState.CameWithRequest }, DecisionKind.Keep, "bound_here"),
        new("Application, its cookie is issued again", Visitor(WithApp) with { Route = Route("a"), Binding = Bound("a"), ApplicationCookie = ApplicationCookieState.Issued }, DecisionKind.Keep, "bound_here"),
        new("Application, its cookie is issued to an unbound visitor", Visitor(WithApp) with { ApplicationCookie = ApplicationCookieState.Issued }, DecisionKind.Assign, "new_visitor", "a"),
        new("Application, its cookie has expired", Visitor(WithApp) with { Route = Route("a"), Binding = Bound("a") }, DecisionKind.Release, "application_cookie_gone"),
        new("Application, the response removes its cookie", Visitor(WithApp) with { Route = Route("a"), ApplicationCookie = ApplicationCookieState.Removed }, DecisionKind.Release, "application_cookie_gone"),
        new("Application, a route cookie that the balancer has given, its cookie is issued", Visitor(WithApp) with { Route = Route("a"), ApplicationCookie = ApplicationCookieState.Issued }, DecisionKind.Assign, "binding_incomplete", "a"),
        new("Application, a route cookie that the balancer has given, without its cookie", Visitor(WithApp) with { Route = Route("a") }, DecisionKind.Keep, "nothing_to_bind_for"),
        new("Application, without its cookie and unbound", Visitor(WithApp), DecisionKind.Keep, "nothing_to_bind_for"),

        // Drain.
        new("this node drains, bound here", Draining with { Route = Route("a") }, DecisionKind.Reassign, "drain", "b"),
        new("this node drains, bound here, first part of the drain", Draining with { Route = Route("a"), KeepsBound = true }, DecisionKind.Keep, "drain_keeps_bound"),
        new("this node drains, unbound", Draining with { Something = false }, DecisionKind.Assign, "drain", "b"),
        new("this node drains, unbound, Lifetime is Application, without its cookie", Draining with { Options = WithApp }, DecisionKind.Keep, "nothing_to_bind_for"),
        new("this node drains, unbound, UnboundRequests is Serve", Draining with { Unbound = UnboundRequests.Serve }, DecisionKind.Keep, "served_unbound"),
        new("this node drains, unbound, UnboundRequests is Refuse", Draining with { Unbound = UnboundRequests.Refuse, MayRefuse = true }, DecisionKind.Refuse, "drain"),
        new("the same, when the drain began after the app had run", Draining with { Unbound = UnboundRequests.Refuse }, DecisionKind.Assign, "drain", "b"),
        new("this node drains, the other one is starting", Draining with { Route = Route("a"), Live = [Node("a"), Node("b", NodeState.Starting)] }, DecisionKind.Keep, "no_peer"),
        new("this node drains, no other one is left", Draining with { Route = Route("a"), Live = [Node("a")] }, DecisionKind.Keep, "no_peer"),
        new("all nodes drain, bound here", Draining with { Route = Route("a"), Live = [Node("a"), Node("b", NodeState.Draining)] }, DecisionKind.Keep, "no_peer"),
        new("all nodes drain, bound to another one", Draining with { Route = Route("b"), Live = [Node("a"), Node("b", NodeState.Draining)] }, DecisionKind.Keep, "no_peer"),
        new("all nodes drain, unbound, UnboundRequests is Refuse", Draining with { Unbound = UnboundRequests.Refuse, MayRefuse = true, Live = [Node("a")] }, DecisionKind.Keep, "no_peer"),

        // Tracks.
        new("blue visitor on their blue node", Blue, DecisionKind.Keep, "bound_here"),
        new("blue visitor, route cookie only", Blue with { Binding = null }, DecisionKind.Assign, "binding_incomplete", "a"),
        new("blue visitor sent to a green node", Blue with { Self = Node("b", track: "green") }, DecisionKind.Keep, "other_node"),
        new("blue visitor sent to a green node by the balancer's own cookie", Blue with { Self = Node("b", track: "green"), Options = Theirs, Route = RouteReading.Unrecognised }, DecisionKind.Assign, "route_unreadable", "a"),
        new("blue visitor, their node was restarted as green", Blue with { Self = Node("a", track: "green") }, DecisionKind.Reassign, "track_mismatch", "c"),
        new("blue visitor, their node drains", Blue with { Self = Node("a", NodeState.Draining, "blue") }, DecisionKind.Reassign, "drain", "c"),
        new("blue visitor, their node is dead, on a green one", Blue with { Self = Node("b", track: "green"), Live = [Node("b", track: "green"), Node("c", track: "blue")] }, DecisionKind.Reassign, "node_gone", "c"),
        new("blue visitor, no blue node takes visitors any more", Blue with { Self = Node("b", track: "green"), Live = [Node("b", track: "green"), Node("c", NodeState.Draining, "blue")] }, DecisionKind.Reassign, "track_gone", "b"),
        new("a blue node drains, unbound, a green node has less load", Blue with { Self = Node("a", NodeState.Draining, "blue"), Live = Loaded, Route = default, Binding = null }, DecisionKind.Assign, "drain", "c"),
        new("a blue node drains, bound here by the route cookie only, a green node has less load", Blue with { Self = Node("a", NodeState.Draining, "blue"), Live = Loaded, Binding = null }, DecisionKind.Reassign, "drain", "c"),
        new("a blue node drains, unbound, no blue node takes visitors any more", Blue with { Self = Node("a", NodeState.Draining, "blue"), Live = [Loaded[0], Loaded[1]], Route = default, Binding = null }, DecisionKind.Assign, "drain", "b"),
        new("blue visitor, TrackDuration has passed, their node drains", Blue with { Self = Node("a", NodeState.Draining, "blue"), Binding = Bound("a", "blue", trackHours: 0) }, DecisionKind.Release, "track_ended"),
        new("blue visitor, TrackDuration has passed", Blue with { Binding = Bound("a", "blue", trackHours: 0) }, DecisionKind.Release, "track_ended"),
        new("blue visitor, TrackDuration has passed, all nodes are blue", Blue with { Binding = Bound("a", "blue", trackHours: 0), Live = [Node("a", track: "blue"), Node("c", track: "blue")] }, DecisionKind.Keep, "bound_here"),

        // Load.
        new("this node has a binding to release", Here with { Self = Node("a", bound: 300), ReleaseLoad = true }, DecisionKind.Reassign, "load", "b"),
        new("this node has a binding to release, the others have as much", Here with { Self = Node("a", bound: 300), Live = [Node("a"), Node("b", bound: 300)], ReleaseLoad = true }, DecisionKind.Keep, "bound_here"),
    ];

    public override string ToString() => Name;
}
