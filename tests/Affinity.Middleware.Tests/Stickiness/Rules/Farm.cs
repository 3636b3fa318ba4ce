using Affinity.Nodes;
using Affinity.Stickiness;

namespace Affinity.Tests.Stickiness.Rules;

/// <summary>Nodes and facts for the rules: this node is a, the others are b and c.</summary>
internal static class Farm
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static NodeRecord Node(string id, NodeState state = NodeState.Active, string? track = null, int bound = 0) =>
        new(NodeId.Parse(id), Guid.Empty, state, InFlight: 0) { Track = track, Bound = bound };

    public static Binding Bound(string node, string? track = null, double trackHours = 1) =>
        new(NodeId.Parse(node)) { Track = track, TrackUntil = track is null ? null : Now.AddHours(trackHours) };

    public static RouteReading Route(string node) => RouteReading.Named(NodeId.Parse(node));

    /// <summary>A visitor with a session on node a, which is active, as b is; no cookie.</summary>
    public static StickinessFacts Visitor(StickinessOptions? options = null) => new()
    {
        Options = options ?? new StickinessOptions(),
        Route = default,
        Self = Node("a"),
        Live = [Node("a"), Node("b")],
        Now = Now,
        Something = true,
    };

    /// <summary>
    /// What the next request may be, when client and balancer did as the decision says. A balancer that sets or learns the cookie sends a visitor without one to any node that takes visitors.
    /// </summary>
    public static IEnumerable<StickinessFacts> After(this StickinessFacts facts, StickinessDecision decision)
    {
        var next = facts with { Binding = decision.Binding, ReleaseLoad = false, MayRefuse = true };
        var without = next with { Route = default };
        return decision.Kind switch
        {
            DecisionKind.Keep or DecisionKind.Refuse => [facts],
            DecisionKind.Release => [without],
            _ when facts.Options.Ownership == RouteOwnership.App || decision.Target!.Id == facts.Self.Id => [next with { Self = decision.Target!, Route = Written(facts.Options, decision.Target!.Id) }],
            _ => facts.Live.Where(node => node.State == NodeState.Active).Select(node => without with { Self = node }),
        };
    }

    private static RouteReading Written(StickinessOptions options, NodeId node) =>
        options.Dialect == AffinityDialect.Opaque || options.Ownership == RouteOwnership.Balancer ? RouteReading.Unrecognised : RouteReading.Named(node);
}
