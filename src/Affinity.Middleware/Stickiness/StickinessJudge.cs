using System.Diagnostics.CodeAnalysis;
using Affinity.Nodes;
using Affinity.Tickets;

namespace Affinity.Stickiness;

/// <summary>Gathers the facts of a request and asks <see cref="StickinessRules"/>. Safe for concurrent use.</summary>
internal sealed class StickinessJudge(StickinessOptions options, DrainOptions drain, NodeMembership node, LiveTargets targets, TimeProvider time)
{
    private readonly Binding _here = new(node.Self);
    private readonly Lock _oneRelease = new();
    private LoadRelease _release = LoadRelease.Start;

    /// <summary>Whether the request is refused before the app runs.</summary>
    public bool Refuses(StickinessFeature visit) =>
        drain.UnboundRequests == UnboundRequests.Refuse && node.State == NodeState.Draining

        // A binding that could not be verified through a fault of ours may well lead here.
        && visit.Binding.Verdict != BindingVerdict.Unverifiable && Foresee(visit, mayRefuse: true).Kind == DecisionKind.Refuse;

    /// <summary>What would happen if the response started now; changes nothing.</summary>
    public StickinessDecision Foresee(StickinessFeature visit, bool mayRefuse = false) =>
        StickinessRules.Decide(FactsOf(visit, visit.CameWithApplicationCookie ? ApplicationCookieState.CameWithRequest : ApplicationCookieState.Absent) with { MayRefuse = mayRefuse });

    /// <summary>What happens to the visitor's binding with this response.</summary>
    public StickinessDecision Decide(StickinessFeature visit, ApplicationCookieState applicationCookie)
    {
        var facts = FactsOf(visit, applicationCookie);

        // Only whom the load counts: one who is not counted would use up what may be given away, and the load would stay as it is.
        return options.ReleaseAbove is null || visit.Ticket.Session is null ? StickinessRules.Decide(facts) : DecideWithRelease(facts);
    }

    /// <summary>Under one lock, or two requests give the same binding away.</summary>
    private StickinessDecision DecideWithRelease(in StickinessFacts facts)
    {
        lock (_oneRelease)
        {
            _release = _release.At(time, facts.Self, facts.Live, options);
            var decision = StickinessRules.Decide(facts with { ReleaseLoad = _release.Left > 0 });
            if (decision.Reason == StickinessReason.Load)
            {
                _release = _release.Spend();
            }

            return decision;
        }
    }

    [SuppressMessage("Security", "CA5394", Justification = "Chooses among nodes; nothing secret hangs on it.")]
    private StickinessFacts FactsOf(StickinessFeature visit, ApplicationCookieState applicationCookie)
    {
        var self = node.Record;
        return new StickinessFacts
        {
            Options = options,
            Route = visit.Route,
            Binding = visit.Binding.Binding,
            Self = self,
            Here = _here,
            Live = targets.Nodes,
            Now = time.GetUtcNow(),
            Something = self.Track is not null || visit.Binding.Binding?.Track is not null || HasSession(visit),
            ApplicationCookie = applicationCookie,
            Unbound = drain.UnboundRequests,
            KeepsBound = node.DrainingFor < drain.Notice,
            Random = (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue),
        };
    }

    // A ticket that could not be verified through a fault of ours keeps a binding alive and begins none.
    private static bool HasSession(StickinessFeature visit) =>
        visit.Ticket.Session is not null || (visit.Ticket.Reading.Verdict == TicketVerdict.Unverifiable && visit.BoundBefore is not null);
}
