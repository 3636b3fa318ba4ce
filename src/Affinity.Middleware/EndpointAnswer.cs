using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Affinity.Nodes;
using Microsoft.AspNetCore.Http;

namespace Affinity;

/// <summary>The answers of what <c>app.MapAffinity()</c> maps: JSON that nobody keeps.</summary>
internal static class EndpointAnswer
{
    /// <summary>Why not, after RFC 9457.</summary>
    public static Task RefuseAsync(HttpContext context, int status, string title, string detail) =>
        WriteAsync(context, status, new(title, status, detail), FarmJson.Default.ProblemAnswer, "application/problem+json");

    public static async Task WriteAsync<T>(HttpContext context, int status, T answer, JsonTypeInfo<T> type, string contentType = "application/json")
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.CacheControl = "no-store";
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted);
    }
}
