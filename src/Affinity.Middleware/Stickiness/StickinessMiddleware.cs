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
    private readonly Func<object, Task> _onStarting;

    public StickinessMiddleware(RequestDelegate next, StickinessOptions options, StickinessReader reader, ApplicationCookie applicationCookie, StickinessJudge judge, StickinessWriter writer)
    {
        (_next, _options, _reader, _applicationCookie, _judge, _writer) = (next, options, reader, applicationCookie, judge, writer);
        _onStarting = OnStarting;
    }

    public Task InvokeAsync(HttpContext context)
    {
        if (!_options.Enabled)
        {
            return _next(context);
        }

        var reading = _reader.ReadAsync(context);
        return reading.IsCompletedSuccessfully ? ContinueAsync(context, reading.Result) : ContinueLaterAsync(context, reading);
    }

    private async Task ContinueLaterAsync(HttpContext context, ValueTask<StickinessFeature> reading) => await ContinueAsync(context, await reading);

    private Task ContinueAsync(HttpContext context, StickinessFeature visit)
    {
        if (_judge.Refuses(visit))
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            context.Response.Headers.RetryAfter = "0";
            context.Response.Headers.CacheControl = "no-store";
            return Task.CompletedTask;
        }

        context.Features.Set(visit);
        context.Response.OnStarting(_onStarting, context);
        return _next(context);
    }

    private Task OnStarting(object state)
    {
        var context = (HttpContext)state;
        var visit = context.Features.GetRequiredFeature<StickinessFeature>();
        if (visit.Binding.Verdict != BindingVerdict.Unverifiable)
        {
            var decision = _judge.Decide(visit, _applicationCookie.StateOf(context.Response, visit.CameWithApplicationCookie));
            visit.Decision = decision;
            _writer.Write(visit, decision, context.Response);
        }

        return Task.CompletedTask;
    }
}
