using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.Extensions.Logging;

namespace Affinity.Stickiness;

/// <summary>
/// Watches whether the balancer obeys, in windows of a minute, and says once per symptom what is seen and which setting is likely to be wrong: when enough windows in a row are bad
/// (<see cref="ObedienceRules.IsBad"/>, <see cref="ObedienceRules.WindowsFor"/>). Safe for concurrent use; allocates once a minute.
/// </summary>
internal sealed class ObedienceWatch(StickinessOptions options, NodeMembership node, RouteCookie route, LiveTargets targets, TimeProvider time, ILogger<ObedienceWatch> logger)
{
    public const int MaxNames = 1024;

    /// <summary>How long after its start a node takes a name that it does not know for that of a node which was gone by then.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _oneAtATime = new();
    private readonly HashSet<NodeId> _seen = [node.Self];
    private readonly long _began = time.GetTimestamp();
    private volatile IReadOnlyList<NodeRecord>? _learned;
    private volatile Counts _counts = new(time.GetTimestamp());
    private volatile bool _haveRoute;
    private int _badInARow;
    private int _told;

    /// <summary>A response starts. Called once for each, with whatever decision.</summary>
    public void Saw(StickinessFeature visit, in StickinessDecision decision)
    {
        Learn();
        var sign = ObedienceRules.Read(decision, RequestOf(visit), options);
        if (sign != ObedienceSign.Uncounted)
        {
            var counts = Current();
            Interlocked.Increment(ref counts.BySign[(int)sign]);
            if (sign != ObedienceSign.Obeyed)
            {
                Interlocked.Or(ref counts.Visitors[(int)sign], 1UL << (VisitorOf(visit) & 63));
            }

            if (visit.Route.Kind != RouteReadingKind.Absent)
            {
                Interlocked.Increment(ref counts.WithRoute);
            }
        }
    }

    /// <summary>Another number in each process for whom a session or a signed binding tells apart from others; one number for all others together. Nobody chooses what it is made of.</summary>
    private static int VisitorOf(StickinessFeature visit) =>
        visit.Ticket.Reading.Ticket is { } ticket ? ticket.Session.GetHashCode()
        : visit.Binding.Binding is { } binding ? HashCode.Combine(binding.Until, binding.TrackUntil)
        : 0;

    private ObedienceRequest RequestOf(StickinessFeature visit) => new()
    {
        Route = visit.Route.Kind,
        NamesHere = visit.Route.Node == node.Self,
        IsUnknown = visit.Route.Node is { } named && IsUnknown(named),
        IsOfGone = IsForeign(visit) && options.StoreKnowsNodes && (IsYoung || IsOfGone(visit)),
        MayBeOfPeer = IsForeign(visit) && !options.StoreKnowsNodes,
        OthersHaveRoute = _haveRoute,
        HasTicket = visit.Ticket.Reading.Ticket is not null,
        IsSigned = visit.Binding.Binding is not null,
    };

    /// <summary>Whether too little time has passed to know every name.</summary>
    private bool IsYoung => time.GetElapsedTime(_began) < Grace;

    /// <summary>Whether the value names nobody in a dialect that only tells the values of nodes which live.</summary>
    private bool IsForeign(StickinessFeature visit) => visit.Route.Kind == RouteReadingKind.Unrecognised && options.Steers && !targets.SpellNames;

    private bool IsOfGone(StickinessFeature visit) => targets.Gone is { Count: > 0 } gone && route.Read(visit, gone).Kind == RouteReadingKind.Named;

    private bool IsUnknown(NodeId named)
    {
        if (!options.StoreKnowsNodes || named == node.Self || IsYoung)
        {
            return false;
        }

        lock (_oneAtATime)
        {
            return _seen.Count < MaxNames && !_seen.Contains(named);
        }
    }

    /// <summary>The list is the same object from beat to beat, so this costs a comparison.</summary>
    private void Learn()
    {
        var live = node.Live;
        if (ReferenceEquals(live, _learned))
        {
            return;
        }

        lock (_oneAtATime)
        {
            for (var i = 0; i < live.Count && _seen.Count < MaxNames; i++)
            {
                _seen.Add(live[i].Id);
            }

            _learned = live;
        }
    }

    private Counts Current()
    {
        var now = time.GetTimestamp();
        var counts = _counts;
        if (time.GetElapsedTime(counts.Began, now) < Window)
        {
            return counts;
        }

        lock (_oneAtATime)
        {
            if (ReferenceEquals(counts, _counts))
            {
                _counts = new(now);
                Close(counts, time.GetElapsedTime(counts.Began, now));
            }

            return _counts;
        }
    }

    private void Close(Counts counts, TimeSpan elapsed)
    {
        var bySign = counts.BySign;
        ObedienceRules.LeaveOutFew(bySign, counts.Visitors);
        _haveRoute = counts.WithRoute > 0 && 2L * counts.WithRoute >= ObedienceRules.Requests(bySign);
        _badInARow = ObedienceRules.IsBad(bySign) ? _badInARow + 1 : 0;
        if (_badInARow > 0 && ObedienceRules.Worst(bySign) is var worst && _badInARow >= ObedienceRules.WindowsFor(worst, options))
        {
            Tell(worst, bySign);
        }

        // Who has seen nobody for a whole window has seen a good one.
        if (elapsed >= 2 * Window)
        {
            _badInARow = 0;
        }
    }

    private void Tell(ObedienceSign worst, int[] bySign)
    {
        if ((_told & (1 << (int)worst)) == 0)
        {
            _told |= 1 << (int)worst;
            var (requests, misrouted) = (ObedienceRules.Requests(bySign), bySign[(int)worst]);
            var diagnosis = ObedienceDiagnosis.Of(worst, options);
            var percent = ObedienceRules.Percent(misrouted, requests);
            logger.BalancerDoesNotObey(misrouted, requests, percent, diagnosis.Symptom, diagnosis.Cure);
        }
    }

    private sealed class Counts(long began)
    {
        // How many of those that count came with a route cookie.
        public int WithRoute;

        public long Began { get; } = began;

        public int[] BySign { get; } = new int[ObedienceRules.Signs];

        public ulong[] Visitors { get; } = new ulong[ObedienceRules.Signs];
    }
}
