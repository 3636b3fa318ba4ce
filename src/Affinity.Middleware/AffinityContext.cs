using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Affinity;

/// <summary>What Affinity knows of a request, as it is at the moment of asking. <c>HttpContext.GetAffinity()</c> answers it.</summary>
public sealed class AffinityContext
{
    private readonly HttpContext _context;

    internal AffinityContext(HttpContext context) => _context = context;

    /// <summary>The name of the node that serves this request.</summary>
    public string Node => _context.Features.Get<NodeFeature>()?.Node.Value ?? throw Missing();

    /// <summary>
    /// The node that this visitor is bound to: as the request said, and once the response has started as it was decided. Null: to none, or nobody can tell, as with a cookie of the balancer's own before the first binding.
    /// </summary>
    public string? BoundTo => Stickiness is not { } visit ? null : (visit.Decision is { } decided ? visit.BoundAfter(decided) : visit.BoundBefore)?.Value;

    /// <summary>Why the visitor is bound as they are, in the words of docs/stickiness.md, such as <c>bound_here</c> or <c>drain</c>; until the response starts, what would be decided now. Null when stickiness is off.</summary>
    public string? BindingReason =>
        Stickiness is { } visit ? (visit.Decision ?? _context.RequestServices.GetRequiredService<StickinessJudge>().Foresee(visit)).Reason.Word() : null;

    /// <summary>The version of the app that this visitor stays on (<c>Affinity:Node:Track</c>); null when they stay on none.</summary>
    public string? Track => Stickiness is not { } visit ? null : (visit.Decision is { } decided ? decided.Binding : visit.Binding.Binding)?.Track;

    /// <summary>The version of the session: as read, and after a save as saved; None without a session.</summary>
    public SessionVersion Version => Session.Version;

    /// <summary>Where the session came from.</summary>
    public SessionOrigin Origin => Session.Origin;

    /// <summary>Whether the session store was asked and answered. Unreachable is told apart from having no session.</summary>
    public StoreReach Store => Session.Reach;

    /// <summary>
    /// True when the store has lost what this visitor had: the session is missing although it should be there, or is older than what the visitor has seen, or another one.
    /// The request goes on with what there is; an app may say so to the visitor.
    /// </summary>
    public bool LostWrites => Loss != SessionLoss.None;

    /// <summary>What the store has lost of it, when no node that was asked remembers it. A loss that only a save meets is known once <c>CommitAsync</c> has returned.</summary>
    public SessionLoss Loss => Session.Loss;

    private StickinessFeature? Stickiness => _context.Features.Get<StickinessFeature>();

    private AffinitySession Session => _context.Features.Get<AffinitySession>() ?? throw Missing();

    private static InvalidOperationException Missing() => new(
        "Affinity has not seen this request. Call builder.AddAffinity(); if the app places the pipeline itself, call app.UseAffinity() before whatever asks.");
}
