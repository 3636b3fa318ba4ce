using System.Text;
using Affinity.Diagnostics;
using Affinity.Inspection;
using Affinity.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity;

/// <summary>What the request's own cookies are, or a cookie that is posted. What is posted is looked at and nothing else: it is no visitor's, and is neither logged nor handed back.</summary>
internal static class InspectEndpoint
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet(NodePaths.Inspect, InspectOwnAsync);
        endpoints.MapPost(NodePaths.Inspect, InspectGivenAsync);
    }

    private static Task InspectOwnAsync(HttpContext context) => AnswerAsync(context, InspectionInput.OfRequest(context.Request.Headers.Cookie));

    private static async Task InspectGivenAsync(HttpContext context)
    {
        if (CrossSiteRequest.Is(context.Request))
        {
            context.RequestServices.GetRequiredService<ILogger<AffinityPipeline>>().CrossSiteInspectionRefused();
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status403Forbidden, "Cross-site request", "A page of another site sent this. Send it from a page of this site, or from a client that is no browser.");
            return;
        }

        if (await ReadAsync(context.Request, context.RequestAborted) is not { } text)
        {
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, "Too long", $"At most {InspectionInput.MaxLength} bytes are looked at.");
            return;
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            await EndpointAnswer.RefuseAsync(context, StatusCodes.Status400BadRequest, "Nothing to inspect", "Send the value of a cookie, or a whole Cookie header, as the body.");
            return;
        }

        await AnswerAsync(context, InspectionInput.Parse(text));
    }

    private static Task AnswerAsync(HttpContext context, InspectionInput input)
    {
        var services = context.RequestServices;
        var report = services.GetRequiredService<CookieInspector>().Inspect(input, showValues: services.GetRequiredService<IHostEnvironment>().IsDevelopment());
        return EndpointAnswer.WriteAsync(context, StatusCodes.Status200OK, report, InspectionJson.Default.InspectionReport);
    }

    /// <summary>The body; null when it is too long.</summary>
    private static async Task<string?> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > InspectionInput.MaxLength)
        {
            return null;
        }

        var buffer = new byte[InspectionInput.MaxLength + 1];
        var length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > InspectionInput.MaxLength ? null : Encoding.UTF8.GetString(buffer, 0, length);
    }
}
