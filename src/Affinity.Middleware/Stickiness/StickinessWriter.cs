using Affinity.Diagnostics;
using Affinity.Nodes;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Affinity.Stickiness;

/// <summary>Puts a decision on the response, and counts who is bound to this node.</summary>
internal sealed class StickinessWriter(
    StickinessOptions options, RouteCookie route, LiveTargets targets, BindingCookie bindings, NodeMembership node, TimeProvider time, AffinityMetrics metrics, ILogger<StickinessWriter> logger)
{
    /// <summary>Answers in the app's stead, so that the balancer takes another node.</summary>
    public void Refuse(HttpResponse response)
    {
        metrics.StickinessDecided(DecisionKind.Refuse.Word(), StickinessReason.Drain.Word());
        response.StatusCode = StatusCodes.Status503ServiceUnavailable;
        response.Headers.RetryAfter = "0";
        response.Headers.CacheControl = "no-store";
    }

    public void Write(StickinessFeature visit, in StickinessDecision decision, HttpResponse response)
    {
        metrics.StickinessDecided(decision.Kind.Word(), decision.Reason.Word());
        switch (decision.Kind)
        {
            case DecisionKind.Assign or DecisionKind.Reassign:
                Lead(visit, decision, response);
                WriteBinding(visit, decision, response);
                break;
            case DecisionKind.Release:
                RemoveRoute(visit, response);
                WriteBinding(visit, decision, response);
                break;
        }

        if (decision.Kind == DecisionKind.Reassign && logger.IsEnabled(LogLevel.Debug))
        {
            logger.VisitorReassigned(node.Self.Value, decision.Target!.Id.Value, decision.Reason.Word());
        }

        Count(visit, decision);
    }

    /// <summary>A balancer that sets or learns the cookie decides by itself where a visitor without one goes.</summary>
    private void Lead(StickinessFeature visit, in StickinessDecision decision, HttpResponse response)
    {
        var isHere = decision.Target!.Id == node.Self;
        if (isHere && (options.Ownership == RouteOwnership.Balancer || LeadsHereAlready(visit)))
        {
            return;
        }

        if ((options.Ownership == RouteOwnership.App || isHere) && targets.Find(decision.Target.Id) is { } target)
        {
            route.Write(response, target, decision.Binding?.Until - time.GetUtcNow());
        }
        else
        {
            RemoveRoute(visit, response);
        }
    }

    /// <summary>Of a value that names nobody we know that it leads here, as it came here; a new one would send the visitor away again, to a node that does the same.</summary>
    private bool LeadsHereAlready(StickinessFeature visit) =>
        !options.Steers && options.Ownership == RouteOwnership.App && visit.Route.Kind != RouteReadingKind.Absent;

    private void RemoveRoute(StickinessFeature visit, HttpResponse response)
    {
        if (visit.Route.Kind != RouteReadingKind.Absent)
        {
            route.Remove(response);
        }
    }

    private void WriteBinding(StickinessFeature visit, in StickinessDecision decision, HttpResponse response)
    {
        if (decision.Binding is { } binding)
        {
            if (binding != visit.Binding.Binding)
            {
                bindings.TryWrite(response, binding, binding.End - time.GetUtcNow());
            }
        }
        else if (visit.Binding.Verdict != BindingVerdict.None)
        {
            bindings.Remove(response);
        }
    }

    /// <summary>Visitors with a session only: nothing tells others apart.</summary>
    private void Count(StickinessFeature visit, in StickinessDecision decision)
    {
        var (before, after) = (visit.Ticket.Reading.Ticket?.Session, visit.Ticket.Session);
        if (before is { } old && before != after)
        {
            node.Bound.Leaves((uint)old.GetHashCode());
        }

        if (after is not { } session)
        {
            return;
        }

        if (visit.BoundAfter(decision) == node.Self)
        {
            node.Bound.Stays((uint)session.GetHashCode());
        }
        else
        {
            node.Bound.Leaves((uint)session.GetHashCode());
        }
    }
}
