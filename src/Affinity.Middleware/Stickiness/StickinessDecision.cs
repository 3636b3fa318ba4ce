using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>What is done with a visitor's binding.</summary>
internal enum DecisionKind
{
    /// <summary>Nothing is written.</summary>
    Keep,

    /// <summary>A binding begins, is renewed, or its cookie is corrected; a visitor who is bound stays with their node.</summary>
    Assign,

    /// <summary>A bound visitor moves to another node, or to another version on the same one.</summary>
    Reassign,

    /// <summary>The binding ends: cookie and signed binding are removed.</summary>
    Release,

    /// <summary>The request is answered with 503 before the app runs, so that the balancer takes another node.</summary>
    Refuse,
}

/// <summary>A decision of <see cref="StickinessRules"/>.</summary>
/// <param name="Kind">What is done.</param>
/// <param name="Reason">Why.</param>
/// <param name="Target">Where the route cookie leads from now on; null unless <see cref="DecisionKind.Assign"/> or <see cref="DecisionKind.Reassign"/>.</param>
/// <param name="Binding">What the <see cref="BindingCookie"/> holds from now on; null: none, as the route cookie alone serves or the binding has ended. Its <c>Until</c> is when the route cookie ends too.</param>
internal readonly record struct StickinessDecision(DecisionKind Kind, StickinessReason Reason, NodeRecord? Target = null, Binding? Binding = null);
