using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

/// <summary>What holds for every combination of options, cookie, binding, this node and the others.</summary>
public sealed class StickinessRulesCrossProductTests
{
    private static readonly bool[] Answers = [true, false];
    private static readonly string[] Names = ["a", "b", "gone"];
    private static readonly int[] Repairs = [0, 3];
    private static readonly string?[] Tracks = [null, "blue", "green"];

    private static readonly NodeRecord[][] Others =
    [
        [],
        [Node("b")],
        [Node("b", NodeState.Draining)],
        [Node("b", track: "blue")],
        [Node("b", NodeState.Draining, "blue"), Node("c", track: "green")],
        [Node("b", track: "green"), Node("c", track: "blue")],
    ];

    private static readonly RouteReading[] Routes = [default, RouteReading.Unrecognised, Route("a"), Route("b"), Route("gone")];

    private static readonly ApplicationCookieState[] Followed = [ApplicationCookieState.CameWithRequest, ApplicationCookieState.Removed, ApplicationCookieState.Absent];
    private static readonly ApplicationCookieState[] NotFollowed = [ApplicationCookieState.Absent];

    // Once for all: there are hundreds of thousands of combinations, and each is to cost little.
    private static readonly StickinessFacts[] Visitors = [.. EveryVisitor()];

    public static TheoryData<string, string> Owners => new()
    {
        { nameof(RouteOwnership.App), nameof(AffinityDialect.Plain) }, { nameof(RouteOwnership.App), nameof(AffinityDialect.Opaque) },
        { nameof(RouteOwnership.Balancer), nameof(AffinityDialect.Plain) }, { nameof(RouteOwnership.Learned), nameof(AffinityDialect.Opaque) }, { nameof(RouteOwnership.Learned), nameof(AffinityDialect.Plain) },
    };

    [Theory]
    [MemberData(nameof(Owners))]
    public void The_invariants_hold_for_every_combination(string ownership, string dialect)
    {
        var count = 0;
        foreach (var facts in Everything(Enum.Parse<RouteOwnership>(ownership), Enum.Parse<AffinityDialect>(dialect)))
        {
            var decision = StickinessRules.Decide(facts);
            if (Violated(facts, decision) is { } rule)
            {
                Assert.Fail($"{rule}: {decision} for {facts}, options {System.Text.Json.JsonSerializer.Serialize(facts.Options)}");
            }

            count++;
        }

        Assert.True(count > 400_000, $"Only {count} combinations.");
    }

    private static string? Violated(in StickinessFacts facts, in StickinessDecision decision)
    {
        if (decision.Kind == DecisionKind.Keep)
        {
            return facts is { Options.Ownership: RouteOwnership.Learned, Route.Kind: RouteReadingKind.Absent } && decision.Reason == StickinessReason.NotObeyed ? "the bound node gives a learned cookie that is missing"
                : decision.Target is null && decision.Binding == facts.Binding ? null
                : "Keep changes nothing";
        }

        var (self, bound, target) = (facts.Self, facts.Binding, decision.Target);
        var selfServes = self.State == NodeState.Active;
        var somebodyServes = facts.Live.Any(n => n.State == NodeState.Active);
        var isPinned = bound is { Track: not null } && bound.TrackUntil > facts.Now;
        var trackServes = isPinned && facts.Live.Any(n => n.State == NodeState.Active && IsOn(n, bound!.Track));
        var isGone = facts.Options.Lifetime == BindingLifetime.Application && facts.ApplicationCookie is not ApplicationCookieState.CameWithRequest;

        return true switch
        {
            _ when target is null == decision.Kind is DecisionKind.Assign or DecisionKind.Reassign => "a target goes with Assign and Reassign",
            _ when target is { State: not NodeState.Active } => "a target takes visitors",
            _ when target is not null && trackServes && !isGone && !IsOn(target, bound!.Track) => "a pinned visitor stays on a version that lives",
            _ when target is not null && !selfServes && !isPinned && (bound?.Node ?? facts.Route.Node) != target.Id && !IsOn(target, self.Track) && facts.Live.Any(n => n.Id != self.Id && n.State == NodeState.Active && IsOn(n, self.Track))
                => "a draining node sends visitors to its own version while that takes any",
            _ when decision.Kind == DecisionKind.Reassign && selfServes && !facts.ReleaseLoad && (bound?.Node ?? facts.Route.Node) == self.Id && !(isPinned && !IsOn(self, bound!.Track))
                => "nobody moves who is where they belong",
            _ when decision.Kind == DecisionKind.Release && facts.Something && decision.Reason is not (StickinessReason.ApplicationCookieGone or StickinessReason.TrackEnded)
                && !(facts.Options.Lifetime == BindingLifetime.Application) => "no release while there is something to be bound for",
            _ when decision.Kind == DecisionKind.Reassign && decision.Reason == StickinessReason.Drain && selfServes => "only a draining node drains",
            _ when !somebodyServes && decision.Kind != DecisionKind.Release => "with nobody to go to a visitor is served",
            _ when isGone && facts.ApplicationCookie == ApplicationCookieState.Absent && bound is null && decision.Kind != DecisionKind.Refuse => "what the balancer has given to somebody without the app's cookie is left alone",
            _ when decision.Kind == DecisionKind.Refuse && (!facts.MayRefuse || selfServes || bound is not null) => "only an unbound visitor of a draining node is refused",
            _ when decision.Binding is { } written && target is not null && written.Node != target.Id => "the binding names the target",
            _ when decision.Binding?.Repairs > 0 && decision.Binding.Repairs != bound!.Repairs && facts.Options.Ownership != RouteOwnership.App && target!.Id != self.Id && facts.Route.Kind == RouteReadingKind.Absent
                => "a correction that writes no cookie is not counted",
            _ when decision.Binding is { } written && !RoundTrips(written) => "a binding can be written and read",
            _ => Settles(facts, decision, (decision.Kind == DecisionKind.Release ? 1 : 0) + (IsDropped(facts, decision) ? 1 : 0)),
        };
    }

    /// <summary>
    /// The next request finds everything in order, wherever it comes; later by one after a release, and by one when a cookie was dropped, as the balancer then sends the visitor anywhere.
    /// </summary>
    private static string? Settles(StickinessFacts facts, StickinessDecision decision, int left)
    {
        if (decision.Kind is DecisionKind.Keep or DecisionKind.Refuse)
        {
            return null;
        }

        foreach (var next in facts.After(decision))
        {
            var second = StickinessRules.Decide(next);
            if (facts.Options.Ownership == RouteOwnership.Learned && IsDropped(facts, decision) && next.Self.Id == decision.Target?.Id && second.Kind == DecisionKind.Keep)
            {
                return $"the node that a visitor is moved to gives a learned cookie, but there comes {second} for {next}";
            }

            if (second.Kind is DecisionKind.Keep or DecisionKind.Refuse)
            {
                continue;
            }

            if (left == 0)
            {
                return $"a decision settles, but then comes {second} for {next}";
            }

            if (Settles(next, second, left - 1) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }

    private static bool IsDropped(StickinessFacts facts, StickinessDecision decision) => facts.Options.Ownership != RouteOwnership.App && decision.Target?.Id != facts.Self.Id;

    private static bool IsOn(NodeRecord node, string? track) => string.Equals(node.Track, track, StringComparison.Ordinal);

    private static bool RoundTrips(Binding binding)
    {
        Span<byte> bytes = stackalloc byte[Binding.MaxSize];
        binding.Write(bytes);
        return Binding.TryRead(bytes[..binding.Size], out var read) && read == binding;
    }

    private static IEnumerable<StickinessFacts> Everything(RouteOwnership ownership, AffinityDialect dialect) =>
        from options in EveryOptions(ownership, dialect)
        from self in EverySelf()
        from others in Others
        let live = others.Prepend(self.Self).ToArray()
        from facts in Visitors
        from cookie in options.Lifetime == BindingLifetime.Application ? Followed : NotFollowed
        select self with
        {
            Options = options, Live = live, Route = facts.Route, Binding = facts.Binding, Something = facts.Something, ApplicationCookie = cookie,
        };

    private static IEnumerable<StickinessOptions> EveryOptions(RouteOwnership ownership, AffinityDialect dialect) =>
        from bind in Enum.GetValues<BindMoment>()
        from lifetime in Enum.GetValues<BindingLifetime>()
        from other in Enum.GetValues<OtherNodePolicy>()
        where other == OtherNodePolicy.Reassign || (bind == BindMoment.WhenNeeded && lifetime != BindingLifetime.Application)
        select new StickinessOptions { Ownership = ownership, Dialect = dialect, Bind = bind, Lifetime = lifetime, OnOtherNode = other };

    private static IEnumerable<StickinessFacts> EverySelf()
    {
        foreach (var track in Tracks)
        {
            var active = Visitor() with { Self = Node("a", track: track, bound: 9) };
            yield return active;
            yield return active with { ReleaseLoad = true };
            var draining = Visitor() with { Self = Node("a", NodeState.Draining, track, bound: 9) };
            yield return draining;
            yield return draining with { KeepsBound = true };
            yield return draining with { Unbound = UnboundRequests.Serve };
            yield return draining with { Unbound = UnboundRequests.Refuse };
            yield return draining with { Unbound = UnboundRequests.Refuse, MayRefuse = true };
        }
    }

    private static IEnumerable<StickinessFacts> EveryVisitor() =>
        from route in Routes
        from something in Answers
        from binding in EveryBinding()
        select Visitor() with { Route = route, Something = something, Binding = binding };

    private static IEnumerable<Binding?> EveryBinding() =>
        new Binding?[] { null }.Concat(
            from node in Names
            from until in new DateTimeOffset?[] { null, Now, Now.AddSeconds(1) }
            from track in new Binding?[] { Bound(node), Bound(node, "blue"), Bound(node, "blue", trackHours: 0) }
            from repairs in until is null ? Repairs : Repairs[..1]
            select track with { Until = until, Repairs = repairs });
}
