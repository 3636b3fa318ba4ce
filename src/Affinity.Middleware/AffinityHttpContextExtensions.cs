using Affinity;

namespace Microsoft.AspNetCore.Http;

/// <summary>What Affinity knows of a request.</summary>
public static class AffinityHttpContextExtensions
{
    /// <summary>The node that serves this request, and where its session came from.</summary>
    public static AffinityContext GetAffinity(this HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new AffinityContext(context);
    }
}
