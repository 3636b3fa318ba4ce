using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>
/// What happens to a visitor's binding: the rules, and nothing else. docs/stickiness.md tells them in words.
/// The signed binding is the truth; without one, a route cookie of the app's own that names a node is.
/// </summary>
internal static class StickinessRules
{
    public static StickinessDecision Decide(in StickinessFacts facts)
    {
        if (Bound(facts) is not { } bound)
        {
            return DecideUnbound(facts);
        }

        if (facts.Options.Lifetime == BindingLifetime.Application && !ApplicationCookieLives(facts))
        {
            // A route cookie alone is one that the balancer has given to somebody who never had the app's: HAProxy's "insert" would give it again whenever it is taken away.
            return facts.Binding is null && facts.ApplicationCookie == ApplicationCookieState.Absent
                ? Keep(facts, StickinessReason.NothingToBindFor)
                : Release(StickinessReason.ApplicationCookieGone);
        }

        if (bound.Until <= facts.Now)
        {
            return DecideLapsed(facts, bound);
        }

        return bound.Node == facts.Self.Id ? DecideHere(facts, bound) : DecideElsewhere(facts, bound);
    }

    /// <summary>Whether a binding needs a signed cookie, because the route cookie alone cannot tell all of it; of one that follows the app's cookie, that the app has made it.</summary>
    public static bool NeedsSigned(StickinessOptions options, string? track) =>
        options.Ownership != RouteOwnership.App || !options.Steers || options.Lifetime != BindingLifetime.Browser || track is not null;

    private static StickinessDecision DecideUnbound(in StickinessFacts facts)
    {
        if (facts.Self.State == NodeState.Active)
        {
            return !Wanted(facts)
                ? Keep(facts, StickinessReason.NothingToBindFor)
                : Assign(facts, facts.Self, facts.Route.Kind == RouteReadingKind.Unrecognised ? StickinessReason.RouteUnreadable : StickinessReason.NewVisitor);
        }

        if (Peer(facts, facts.Self.Track) is not { } peer)
        {
            return Keep(facts, StickinessReason.NoPeer);
        }

        return facts.Unbound switch
        {
            UnboundRequests.Serve => Keep(facts, StickinessReason.ServedUnbound),
            UnboundRequests.Refuse when facts.MayRefuse => new(DecisionKind.Refuse, StickinessReason.Drain, Binding: facts.Binding),

            // The peer would release at once what follows the app's cookie.
            _ when facts.Options.Lifetime == BindingLifetime.Application && !ApplicationCookieLives(facts) => Keep(facts, StickinessReason.NothingToBindFor),
            _ => Assign(facts, peer, StickinessReason.Drain),
        };
    }

    // As a new visitor, except that a version can be pinned for longer than the node was.
    private static StickinessDecision DecideLapsed(in StickinessFacts facts, Binding bound)
    {
        if (!Wanted(facts))
        {
            return Release(StickinessReason.Lapsed);
        }

        return Home(facts, bound) is { } home
            ? Assign(facts, home, StickinessReason.Lapsed, bound)
            : Keep(facts, StickinessReason.NoPeer);
    }

    private static StickinessDecision DecideHere(in StickinessFacts facts, Binding bound)
    {
        if (facts.Self.State == NodeState.Draining)
        {
            return facts.KeepsBound ? Keep(facts, StickinessReason.DrainKeepsBound)
                : Peer(facts, TrackOf(facts, bound)) is not { } peer ? Keep(facts, StickinessReason.NoPeer)
                : IsPinOver(facts, bound) ? Release(StickinessReason.TrackEnded)
                : Reassign(facts, peer, StickinessReason.Drain, bound);
        }

        // The node was restarted under its name with another version.
        if (IsPinned(facts, bound) && !IsOn(facts.Self, bound.Track))
        {
            return ToHome(facts, bound, StickinessReason.TrackMismatch);
        }

        if (IsPinOver(facts, bound))
        {
            return Release(StickinessReason.TrackEnded);
        }

        if (facts.ReleaseLoad && Lighter(facts) is { } lighter)
        {
            return Reassign(facts, lighter, StickinessReason.Load, bound);
        }

        return IsRouteRight(facts)
            ? Complete(facts, bound)
            : Repair(facts, bound, facts.Self);
    }

    private static StickinessDecision DecideElsewhere(in StickinessFacts facts, Binding bound)
    {
        if (facts.Live.Count == 0)
        {
            return Keep(facts, StickinessReason.DirectoryUnknown);
        }

        var node = Find(facts.Live, bound.Node);
        if (node is not { State: NodeState.Active })
        {
            return ToHome(facts, bound, node is { State: NodeState.Draining } ? StickinessReason.NodeDraining : StickinessReason.NodeGone);
        }

        if (IsPinned(facts, bound) && !IsOn(node, bound.Track))
        {
            return ToHome(facts, bound, StickinessReason.TrackMismatch);
        }

        var selfServes = facts.Self.State == NodeState.Active;
        if (IsPinOver(facts, bound))
        {
            return selfServes && !IsOn(facts.Self, bound.Track)
                ? Reassign(facts, facts.Self, StickinessReason.TrackEnded, bound)
                : Release(StickinessReason.TrackEnded);
        }

        if (selfServes && facts.Options.OnOtherNode == OtherNodePolicy.Reassign && (!IsPinned(facts, bound) || IsOn(facts.Self, bound.Track)))
        {
            return Reassign(facts, facts.Self, StickinessReason.OtherNode, bound);
        }

        // Who has no cookie of a balancer that sets or learns it is sent anywhere, and only the bound node can give them one.
        var nothingToWrite = facts.Options.Ownership != RouteOwnership.App && facts.Route.Kind == RouteReadingKind.Absent;
        return nothingToWrite || facts.Route.Names(bound.Node) ? Keep(facts, StickinessReason.OtherNode) : Repair(facts, bound, node);
    }

    /// <summary>To the node of the visitor's version that suits best; with none left, to another version.</summary>
    private static StickinessDecision ToHome(in StickinessFacts facts, Binding bound, StickinessReason reason)
    {
        if (Home(facts, bound) is not { } home)
        {
            return Keep(facts, StickinessReason.NoPeer);
        }

        if (!Wanted(facts))
        {
            return Release(StickinessReason.NothingToBindFor);
        }

        return Reassign(facts, home, IsPinned(facts, bound) && !IsOn(home, bound.Track) ? StickinessReason.TrackGone : reason, bound);
    }

    /// <summary>Towards the signed binding, which counts how often. (Without one the route cookie is the binding, and cannot lead elsewhere.)</summary>
    private static StickinessDecision Repair(in StickinessFacts facts, Binding bound, NodeRecord node)
    {
        // A learned cookie had to be removed to move the visitor: what is missing at the bound node is given again, and is no correction.
        var isGivenAgain = facts.Options.Ownership == RouteOwnership.Learned && facts.Route.Kind == RouteReadingKind.Absent;
        if (!isGivenAgain && bound.Repairs >= facts.Options.RepairLimit)
        {
            return Keep(facts, StickinessReason.NotObeyed);
        }

        var reason = facts.Route.Kind switch
        {
            RouteReadingKind.Absent => StickinessReason.RouteMissing,
            RouteReadingKind.Unrecognised => StickinessReason.RouteUnreadable,
            _ => StickinessReason.RouteDisagrees,
        };
        return new(DecisionKind.Assign, reason, node, Bind(facts, node, bound) is { } next ? next with { Repairs = bound.Repairs + (isGivenAgain ? 0 : 1) } : null);
    }

    private static StickinessDecision Complete(in StickinessFacts facts, Binding bound)
    {
        var (options, track) = (facts.Options, facts.Self.Track);
        var isComplete = !NeedsSigned(options, track)
            || (facts.Binding is { } signed && (signed.Track is not null || track is null) && (signed.Until is not null || options.Lifetime != BindingLifetime.Duration));
        return isComplete ? Keep(facts, StickinessReason.BoundHere) : Assign(facts, facts.Self, StickinessReason.BindingIncomplete, bound);
    }

    private static Binding? Bound(in StickinessFacts facts) =>
        facts.Binding
        ?? (facts.Route.Node is not { } node || facts.Options.Ownership == RouteOwnership.Balancer ? null
            : facts.Here?.Node == node ? facts.Here
            : new Binding(node));

    private static bool ApplicationCookieLives(in StickinessFacts facts) =>
        facts.ApplicationCookie is ApplicationCookieState.CameWithRequest or ApplicationCookieState.Issued;

    // With a cookie of its own the balancer binds anyway; the app takes part only where there is a session or a track.
    private static bool Wanted(in StickinessFacts facts) =>
        facts.Options.Lifetime == BindingLifetime.Application
            ? ApplicationCookieLives(facts) && (facts.Something || facts.Options.Ownership != RouteOwnership.Balancer)
            : facts.Something || facts.Options is { Bind: BindMoment.Always, Ownership: not RouteOwnership.Balancer };

    private static bool IsRouteRight(in StickinessFacts facts) =>
        facts.Options.Ownership == RouteOwnership.Balancer
        || (facts.Options.Steers ? facts.Route.Names(facts.Self.Id) : facts.Route.Kind != RouteReadingKind.Absent);

    private static bool IsPinned(in StickinessFacts facts, Binding bound) => bound.Track is not null && bound.TrackUntil > facts.Now;

    /// <summary>The version that the visitor is to go on with: theirs, and without one that to which the balancer has sent them.</summary>
    private static string? TrackOf(in StickinessFacts facts, Binding bound) => IsPinned(facts, bound) ? bound.Track : facts.Self.Track;

    /// <summary>Whether the visitor has stayed long enough on their version and there is another one to go to.</summary>
    private static bool IsPinOver(in StickinessFacts facts, Binding bound)
    {
        if (bound.Track is null || IsPinned(facts, bound))
        {
            return false;
        }

        if (facts.Self.State == NodeState.Active && !IsOn(facts.Self, bound.Track))
        {
            return true;
        }

        foreach (var node in facts.Live)
        {
            if (node.Id != facts.Self.Id && node.State == NodeState.Active && !IsOn(node, bound.Track))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Here, where the balancer has sent the visitor, unless this node is draining or runs another version while nodes of theirs take visitors; then the best peer; null: nobody takes any.</summary>
    private static NodeRecord? Home(in StickinessFacts facts, Binding bound)
    {
        var selfServes = facts.Self.State == NodeState.Active;
        if (selfServes && (!IsPinned(facts, bound) || IsOn(facts.Self, bound.Track)))
        {
            return facts.Self;
        }

        var peer = Peer(facts, TrackOf(facts, bound));
        return selfServes && (peer is null || !IsOn(peer, bound.Track)) ? facts.Self : peer;
    }

    private static NodeRecord? Peer(in StickinessFacts facts, string? track) => TargetChoice.Choose(facts.Live, facts.Self.Id, track, facts.Random);

    private static NodeRecord? Lighter(in StickinessFacts facts) =>
        TargetChoice.ChooseOn(facts.Live, facts.Self.Id, facts.Self.Track, facts.Random, NodeLoad.Mean(facts.Self, facts.Live));

    private static NodeRecord? Find(IReadOnlyList<NodeRecord> live, NodeId id)
    {
        foreach (var node in live)
        {
            if (node.Id == id)
            {
                return node;
            }
        }

        return null;
    }

    private static bool IsOn(NodeRecord node, string? track) => string.Equals(node.Track, track, StringComparison.Ordinal);

    private static StickinessDecision Keep(in StickinessFacts facts, StickinessReason reason) => new(DecisionKind.Keep, reason, Binding: facts.Binding);

    private static StickinessDecision Release(StickinessReason reason) => new(DecisionKind.Release, reason);

    private static StickinessDecision Assign(in StickinessFacts facts, NodeRecord target, StickinessReason reason, Binding? before = null) =>
        new(DecisionKind.Assign, reason, target, Bind(facts, target, before));

    private static StickinessDecision Reassign(in StickinessFacts facts, NodeRecord target, StickinessReason reason, Binding before) =>
        new(DecisionKind.Reassign, reason, target, Bind(facts, target, before));

    /// <summary>What the signed cookie is to hold. A time that runs goes on running for what stays the same: the node, or the version.</summary>
    private static Binding? Bind(in StickinessFacts facts, NodeRecord target, Binding? before)
    {
        var (now, options) = (facts.Now, facts.Options);
        if (!NeedsSigned(options, target.Track))
        {
            return null;
        }

        DateTimeOffset? until = options.Lifetime != BindingLifetime.Duration ? null
            : before is { Until: { } set } && before.Node == target.Id && set > now ? set
            : After(now, options.Duration);
        if (target.Track is not { } track)
        {
            return new Binding(target.Id, until);
        }

        var pinned = before is not null && IsPinned(facts, before) && IsOn(target, before.Track) ? before.TrackUntil : After(now, options.TrackDuration);
        return new Binding(target.Id, until) { Track = track, TrackUntil = pinned };
    }

    private static DateTimeOffset After(DateTimeOffset now, TimeSpan time) => DateTimeOffset.FromUnixTimeSeconds((now + time).ToUnixTimeSeconds());
}
