using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;

namespace Affinity;

/// <summary>What Affinity knows of a request, as it is at the moment of asking. <c>HttpContext.GetAffinity()</c> answers it.</summary>
public sealed class AffinityContext
{
    private readonly HttpContext _context;

    internal AffinityContext(HttpContext context) => _context = context;

    /// <summary>The name of the node that serves this request.</summary>
    public string Node => _context.Features.Get<NodeFeature>()?.Node.Value ?? throw Missing();

    /// <summary>The version of the session: as read, and after a save as saved; None without a session.</summary>
    public SessionVersion Version => Session.Version;

    /// <summary>Where the session came from.</summary>
    public SessionOrigin Origin => Session.Origin;

    /// <summary>Whether the session store was asked and answered. Unreachable is told apart from having no session.</summary>
    public StoreReach Store => Session.Reach;

    /// <summary>
    /// True when the store has lost what this visitor had: the session is missing although it should be there, or is older than what the visitor has seen.
    /// The request goes on with what there is; an app may say so to the visitor.
    /// </summary>
    public bool LostWrites => Session.LoadKind is SessionLoadKind.Lost or SessionLoadKind.Behind;

    private AffinitySession Session => _context.Features.Get<AffinitySession>() ?? throw Missing();

    private static InvalidOperationException Missing() => new(
        "Affinity has not seen this request. Call builder.AddAffinity(); if the app places the pipeline itself, call app.UseAffinity() before whatever asks.");
}
