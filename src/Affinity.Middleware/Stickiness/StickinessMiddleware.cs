using Affinity.Nodes;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Stickiness;

/// <summary>Which node is this visitor's: reads the route cookie and the binding, and decides when the response starts, after the session is saved and before the ticket is written.</summary>
internal sealed class StickinessMiddleware
{
    private readonly RequestDelegate _next;
    private readonly StickinessOptions _options;
    private readonly StickinessReader _reader;
    private readonly ApplicationCookie _applicationCookie;
    private readonly StickinessJudge _judge;
    private readonly StickinessWriter _writer;
    private readonly ObedienceWatch _watch;
    private readonly Func<object, Task> _onStarting;

    public StickinessMiddleware(
        RequestDelegate next, StickinessOptions options, StickinessReader reader, ApplicationCookie applicationCookie, StickinessJudge judge, StickinessWriter writer, ObedienceWatch watch)
    {
        (_next, _options, _reader, _applicationCookie, _judge, _writer, _watch) = (next, options, reader, applicationCookie, judge, writer, watch);
        _onStarting = OnStarting;
    }

    public Task InvokeAsync(HttpContext context)
    {
        // Operators ask this node and no other, also when it refuses visitors.
        if (!_options.Enabled || IsForOperators(context.Request.Path))
        {
            return _next(context);
        }

        var reading = _reader.ReadAsync(context);
        return reading.IsCompletedSuccessfully ? ContinueAsync(context, reading.Result) : ContinueLaterAsync(context, reading);
    }

    private static bool IsForOperators(PathString path)
    {
        foreach (var operators in NodePaths.All)
        {
            if (path.StartsWithSegments(operators, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    private async Task ContinueLaterAsync(HttpContext context, ValueTask<StickinessFeature> reading) => await ContinueAsync(context, await reading);

    private Task ContinueAsync(HttpContext context, StickinessFeature visit)
    {
        if (_judge.Refuses(visit))
        {
            _writer.Refuse(context.Response);
            return Task.CompletedTask;
        }

        context.Features.Set(visit);
        context.Response.OnStarting(_onStarting, visit);
        return _next(context);
    }

    private Task OnStarting(object state)
    {
        var visit = (StickinessFeature)state;

        // An exception handler that stands before the pipeline runs it again, and then this is called twice.
        if (visit.Decision is null && visit.Binding.Verdict != BindingVerdict.Unverifiable)
        {
            var decision = _judge.Decide(visit, _applicationCookie.StateOf(visit.Ticket.Response, visit.CameWithApplicationCookie));
            visit.Decision = decision;
            _writer.Write(visit, decision, visit.Ticket.Response);
            _watch.Saw(visit, decision);
        }

        return Task.CompletedTask;
    }
}
