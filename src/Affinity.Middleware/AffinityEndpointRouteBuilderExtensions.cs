using Affinity;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps what operators use.</summary>
public static class AffinityEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps <c>GET /affinity/nodes</c>, <c>POST /affinity/nodes/{id}/drain</c> and <c>POST /affinity/nodes/{id}/undrain</c>, where any node answers for all, <c>POST /affinity/store/first</c> and <c>POST /affinity/store/standby</c>, where there are two stores, and <c>GET</c> and <c>POST /affinity/inspect</c>,
    /// for those whom the policy <c>Affinity:Endpoints:Policy</c> admits.
    /// </summary>
    /// <exception cref="InvalidOperationException">No policy is named or there is none of this name, and not <c>Affinity:Endpoints:AllowAnonymousInDevelopment</c> either; or <c>AddAffinity</c> was not called.</exception>
    public static IEndpointConventionBuilder MapAffinity(this IEndpointRouteBuilder endpoints) => Map(endpoints, policy: null);

    /// <summary>As the other one, with the name of the policy in code, which wins over the configured one.</summary>
    /// <exception cref="InvalidOperationException">There is no such policy, and not <c>Affinity:Endpoints:AllowAnonymousInDevelopment</c> either; or <c>AddAffinity</c> was not called.</exception>
    public static IEndpointConventionBuilder MapAffinity(this IEndpointRouteBuilder endpoints, string policy)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(policy);
        return Map(endpoints, policy);
    }

    private static RouteGroupBuilder Map(IEndpointRouteBuilder endpoints, string? policy)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var services = endpoints.ServiceProvider;
        if (services.GetService<AffinityPipeline>() is null)
        {
            throw new InvalidOperationException("app.MapAffinity() needs builder.AddAffinity() before builder.Build().");
        }

        var options = services.GetRequiredService<IOptions<AffinityOptions>>().Value.Endpoints;
        var all = endpoints.MapGroup("");
        NodeEndpoints.Map(all);
        StoreEndpoints.Map(all);
        InspectEndpoint.Map(all);
        EndpointAccess.Apply(all, services, options, policy);
        return all;
    }
}
