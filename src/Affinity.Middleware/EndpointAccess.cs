using Affinity.Diagnostics;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity;

/// <summary>Who may use the endpoints, decided when they are mapped, so that an app that forgot to say it does not start.</summary>
internal static class EndpointAccess
{
    /// <exception cref="InvalidOperationException">Nobody has said who may, or there is no such policy.</exception>
    public static void Apply(IEndpointConventionBuilder endpoints, IServiceProvider services, EndpointsOptions options, string? policy)
    {
        if (options.AllowAnonymousInDevelopment && services.GetRequiredService<IHostEnvironment>().IsDevelopment())
        {
            // Also past the app's own fallback policy.
            endpoints.AllowAnonymous();
            services.GetRequiredService<ILogger<AffinityPipeline>>().EndpointsOpen();
            return;
        }

        policy ??= options.Policy ?? throw new InvalidOperationException(
            "app.MapAffinity() would let anybody see and drain the nodes and inspect cookies. Name an authorization policy with Affinity:Endpoints:Policy or app.MapAffinity(\"policy\"); "
            + "in development, Affinity:Endpoints:AllowAnonymousInDevelopment = true in appsettings.Development.json does without.");
        CheckExists(services, policy);
        endpoints.RequireAuthorization(policy);
    }

    private static void CheckExists(IServiceProvider services, string policy)
    {
        var policies = services.GetService<IAuthorizationPolicyProvider>()
            ?? throw new InvalidOperationException($"app.MapAffinity() requires the authorization policy '{policy}', and the app has no authorization. Add it with builder.Services.AddAuthorization(o => o.AddPolicy(…)).");

        // A provider that has to ask somewhere else does so with the first request; the framework then refuses an unknown policy.
        var found = policies.GetPolicyAsync(policy);
        if (found is { IsCompletedSuccessfully: true, Result: null })
        {
            throw new InvalidOperationException($"app.MapAffinity() requires the authorization policy '{policy}', which does not exist. Add it with builder.Services.AddAuthorization(o => o.AddPolicy(…)), or correct the name.");
        }
    }
}
