using System.Diagnostics;
using Affinity.Nodes;
using Affinity.Tickets;

namespace Affinity.Stickiness;

/// <summary>A visitor's binding on its way through one request: what the request said, and what was decided when the response started.</summary>
internal sealed class StickinessFeature(RouteReading route, BindingReading binding, bool cameWithApplicationCookie, TicketFeature ticket)
{
    public RouteReading Route { get; } = route;

    public BindingReading Binding { get; } = binding;

    /// <summary>Whether the app's cookie came along that bindings follow; false when they follow none.</summary>
    public bool CameWithApplicationCookie { get; } = cameWithApplicationCookie;

    public TicketFeature Ticket { get; } = ticket;

    /// <summary>Null until the response starts.</summary>
    public StickinessDecision? Decision { get; set; }

    /// <summary>To which node the visitor came bound; null: to none, or nobody knows.</summary>
    public NodeId? BoundBefore => Binding.Binding?.Node ?? Route.Node;

    /// <summary>To which node the visitor is bound by a decision; null: to none, or nobody knows.</summary>
    public NodeId? BoundAfter(in StickinessDecision decision) => decision.Kind switch
    {
        DecisionKind.Keep or DecisionKind.Refuse => BoundBefore,
        DecisionKind.Assign or DecisionKind.Reassign => decision.Target!.Id,
        DecisionKind.Release => null,
        _ => throw new UnreachableException(),
    };
}
