using Affinity.Backends.Standby;
using Affinity.Diagnostics;
using Affinity.Nodes;
using Affinity.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity;

/// <summary>An operator's word on which of two stores all nodes use.</summary>
internal static class StoreEndpoints
{
    private const string RetryAfterSeconds = "2";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var store = endpoints.MapGroup(NodePaths.Store);
        store.MapPost("/first", context => CommandAsync(context, StandbySite.First));
        store.MapPost("/standby", context => CommandAsync(context, StandbySite.Standby));
    }

    private static Task CommandAsync(HttpContext context, StandbySite site)
    {
        if (CrossSiteRequest.Is(context.Request))
        {
            context.RequestServices.GetRequiredService<ILogger<AffinityPipeline>>().CrossSiteCommandRefused();
            return EndpointAnswer.RefuseAsync(context, StatusCodes.Status403Forbidden, "Cross-site request", "A page of another site sent this command. Send it from a page of this site, or from a client that is no browser.");
        }

        return context.RequestServices.GetService<StandbyPair>() is { } pair
            ? OrderAsync(context, pair, site)
            : EndpointAnswer.RefuseAsync(context, StatusCodes.Status404NotFound, "No standby", "There is no second store: Affinity:StandbyStore:Configuration is not set.");
    }

    private static async Task OrderAsync(HttpContext context, StandbyPair pair, StandbySite site)
    {
        var facts = pair.State.Facts();
        if (facts.Order.Site == site)
        {
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status409Conflict, "Already so", $"That is the order already (number {facts.Order.Epoch}).");
            return;
        }

        if (site == StandbySite.First && !(facts.FirstAnswered < pair.State.Times.Lease))
        {
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status409Conflict, "The first store does not answer", "This node cannot reach it, so it does not send all others there.");
            return;
        }

        try
        {
            var time = context.RequestServices.GetRequiredService<TimeProvider>();
            using var late = new CancellationTokenSource(pair.State.Times.Lease, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
            if (await pair.Watch.OrderAsync(site, either.Token).WaitAsync(either.Token))
            {
                var next = $"All nodes use it in {pair.State.Times.Lease.TotalSeconds:0.#} s. Until then changes ride in the visitors' tickets.";
                await EndpointAnswer.WriteAsync(context, StatusCodes.Status202Accepted, new(site == StandbySite.First ? "first" : "standby", next, Node: null), FarmJson.Default.CommandAnswer);
                return;
            }
        }
        catch (Exception fault) when (fault is SessionStoreException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            // Answered below.
        }

        context.Response.Headers.RetryAfter = RetryAfterSeconds;
        await EndpointAnswer.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "The order is not confirmed", "The standby store, where it lies, did not answer, or somebody gave another one. Look at the log, and send it again.");
    }
}
