using Affinity;
using Microsoft.Extensions.DependencyInjection;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Places the pipeline by hand.</summary>
public static class AffinityApplicationBuilderExtensions
{
    /// <summary>
    /// Puts Affinity's pipeline here instead of first: for an app that wants something before it. Whatever stands before it has no session, and a sign-in there renews none:
    /// <c>WebApplication</c> puts authentication first by itself, so an app that signs in through remote providers calls <c>app.UseAuthentication()</c> after this. Calling it twice places it once.
    /// </summary>
    /// <exception cref="InvalidOperationException"><c>AddAffinity</c> was not called.</exception>
    public static IApplicationBuilder UseAffinity(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var pipeline = app.ApplicationServices.GetService<AffinityPipeline>()
            ?? throw new InvalidOperationException("app.UseAffinity() needs builder.AddAffinity() before builder.Build().");
        pipeline.PlaceByApp(app);
        return app;
    }
}
