using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Affinity.Nodes;

/// <summary>Who am I: answers the health paths, counts every other request, and puts this node's name on it.</summary>
internal sealed class NodeMiddleware(RequestDelegate next, NodeMembership node, NodeHealth health, NodeOptions options, DrainOptions drain)
{
    private readonly PathString _healthPath = options.HealthPath;
    private readonly string? _header = options.ResponseHeader;
    private readonly NodeFeature _feature = new(node.Self);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments(_healthPath, StringComparison.Ordinal, out var rest))
        {
            switch (rest.Value!.TrimEnd('/'))
            {
                case "/live":
                    return AnswerAsync(context, StatusCodes.Status200OK, health.Live(), HealthJson.Default.LiveAnswer);
                case "/ready":
                    var answer = health.Ready();
                    return AnswerAsync(context, ReadyStatus(context.Response, answer), answer, HealthJson.Default.ReadyAnswer);
            }
        }

        return ServeAsync(context);
    }

    private Task ServeAsync(HttpContext context)
    {
        context.Features.Set(_feature);
        if (_header is not null || node.State == NodeState.Draining)
        {
            // When the response starts and not now: an exception handler clears the headers, and the page of a fault is where the node's name is most wanted.
            context.Response.OnStarting(SetHeaders, context);
        }

        var entered = node.Requests.Enter();
        Task serving;
        try
        {
            serving = next(context);
        }
        catch
        {
            node.Requests.Leave(entered);
            throw;
        }

        if (!serving.IsCompleted)
        {
            return LeaveAfterAsync(serving, entered);
        }

        node.Requests.Leave(entered);
        return serving;
    }

    private async Task LeaveAfterAsync(Task serving, bool entered)
    {
        try
        {
            await serving;
        }
        finally
        {
            node.Requests.Leave(entered);
        }
    }

    private Task SetHeaders(object state)
    {
        var context = (HttpContext)state;
        if (_header is not null)
        {
            context.Response.Headers[_header] = node.Self.Value;
        }

        // A connection that a balancer keeps open to a node that stops costs whoever posts on it at that moment an error; a refused connection costs nothing.
        if (node.State == NodeState.Draining && HttpProtocol.IsHttp11(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }

        return Task.CompletedTask;
    }

    private int ReadyStatus(HttpResponse response, ReadyAnswer answer)
    {
        if (answer.Ready)
        {
            return StatusCodes.Status200OK;
        }

        // Only for the drain: a node that is not ready for another reason can serve nobody.
        switch (answer.IsDrainingOnly ? drain.Readiness : DrainReadiness.ServiceUnavailable)
        {
            case DrainReadiness.NotFound:
                return StatusCodes.Status404NotFound;
            case DrainReadiness.EnvoyDegraded:
                response.Headers["x-envoy-degraded"] = "true";
                return StatusCodes.Status200OK;
            default:
                return StatusCodes.Status503ServiceUnavailable;
        }
    }

    private static async Task AnswerAsync<T>(HttpContext context, int status, T answer, JsonTypeInfo<T> type)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        var isHead = HttpMethods.IsHead(context.Request.Method);
        if (!isHead && !HttpMethods.IsGet(context.Request.Method))
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            response.Headers.Allow = "GET, HEAD";
            return;
        }

        var body = JsonSerializer.SerializeToUtf8Bytes(answer, type);
        response.StatusCode = status;
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        if (!isHead)
        {
            await response.Body.WriteAsync(body, context.RequestAborted);
        }
    }
}
