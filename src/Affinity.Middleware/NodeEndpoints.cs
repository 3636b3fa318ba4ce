using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity;

/// <summary>All nodes as this one sees them, and commands to any of them.</summary>
internal static class NodeEndpoints
{
    private const string RetryAfterSeconds = "2";

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var nodes = endpoints.MapGroup(NodePaths.Nodes);
        nodes.MapGet("", TellAsync);
        nodes.MapPost("/{id}/drain", context => CommandAsync(context, NodeWish.Drain));
        nodes.MapPost("/{id}/undrain", context => CommandAsync(context, NodeWish.Serve));
    }

    private static Task TellAsync(HttpContext context) =>
        EndpointAnswer.WriteAsync(context, StatusCodes.Status200OK, context.RequestServices.GetRequiredService<FarmStatus>().Read(), FarmJson.Default.NodesAnswer);

    private static async Task CommandAsync(HttpContext context, NodeWish wish)
    {
        if (CrossSiteRequest.Is(context.Request))
        {
            context.RequestServices.GetRequiredService<ILogger<AffinityPipeline>>().CrossSiteCommandRefused();
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status403Forbidden, "Cross-site request", "A page of another site sent this command. Send it from a page of this site, or from a client that is no browser.");
            return;
        }

        if (!NodeId.TryParse(context.GetRouteValue("id") as string, out var id))
        {
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, "Not a node's name", $"A node's name is 1 to {NodeId.MaxLength} characters of A-Z a-z 0-9 _ and -.");
            return;
        }

        var result = await context.RequestServices.GetRequiredService<NodeCommands>().AskAsync(id, wish, context.RequestAborted);
        await AnswerAsync(context, wish, result);
    }

    private static Task AnswerAsync(HttpContext context, NodeWish wish, NodeCommandResult result)
    {
        switch (result.Outcome)
        {
            case NodeCommandOutcome.Accepted:
                var node = result.Node is { } record ? context.RequestServices.GetRequiredService<FarmStatus>().Describe(record) : null;
                return EndpointAnswer.WriteAsync(context, StatusCodes.Status202Accepted, new(NodeCommands.WordOf(wish), NodeCommands.NextAfter(wish, result), node), FarmJson.Default.CommandAnswer);
            case NodeCommandOutcome.NotLiving:
                return EndpointAnswer.RefuseAsync(context, StatusCodes.Status404NotFound, "No such node", $"No node of this name lives. GET {NodePaths.Nodes} names those that do.");
            case NodeCommandOutcome.Stopping:
                return EndpointAnswer.RefuseAsync(context, StatusCodes.Status409Conflict, "The node is stopping", "It was told to stop, and that cannot be taken back. Start it again.");
            case NodeCommandOutcome.NotConfirmed:
                context.Response.Headers.RetryAfter = RetryAfterSeconds;
                return EndpointAnswer.RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "The node directory does not answer", "The command is not confirmed. Send it again; a repetition does no harm.");
            default:
                throw new UnreachableException();
        }
    }
}
