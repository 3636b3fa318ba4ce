using Affinity.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>What does this visitor prove: reads the ticket, and writes or removes it when the response starts.</summary>
internal sealed class TicketMiddleware
{
    private readonly RequestDelegate _next;
    private readonly TicketReader _reader;
    private readonly TicketCookie _cookie;
    private readonly TicketWriter _writer;
    private readonly AffinityMetrics _metrics;
    private readonly ILogger _logger;
    private readonly Func<object, Task> _onStarting;
    private int _toldOfClocks;

    public TicketMiddleware(
        RequestDelegate next, TicketReader reader, TicketCookie cookie, TicketWriter writer, AffinityMetrics metrics, ILogger<TicketMiddleware> logger)
    {
        (_next, _reader, _cookie, _writer, _metrics, _logger) = (next, reader, cookie, writer, metrics, logger);
        _onStarting = OnStarting;
    }

    public Task InvokeAsync(HttpContext context)
    {
        var texts = _cookie.Read(context.Request);
        var reading = _reader.ReadAsync(texts, context.RequestAborted);
        return reading.IsCompletedSuccessfully
            ? ContinueAsync(context, reading.Result, texts.More)
            : ContinueLaterAsync(context, reading, texts.More);
    }

    private async Task ContinueLaterAsync(HttpContext context, ValueTask<TicketReading> reading, bool more) =>
        await ContinueAsync(context, await reading, more);

    private Task ContinueAsync(HttpContext context, TicketReading reading, bool more)
    {
        if (reading.Verdict != TicketVerdict.None)
        {
            Count(reading, more);
        }

        var feature = new TicketFeature(reading, context.Response);
        context.Features.Set(feature);

        // The last one registered runs first: later stages register theirs later, so the session is saved before this writes the ticket.
        context.Response.OnStarting(_onStarting, feature);
        return _next(context);
    }

    private Task OnStarting(object state)
    {
        _writer.Write((TicketFeature)state);
        return Task.CompletedTask;
    }

    private void Count(TicketReading reading, bool more)
    {
        _metrics.TicketRead(reading.Reason);
        if (more && !string.Equals(reading.Reason, TicketReasons.TooMany, StringComparison.Ordinal))
        {
            _metrics.TicketRead(TicketReasons.TooMany);
        }

        if (reading.Verdict != TicketVerdict.Valid)
        {
            // The client chose these bytes.
            _logger.TicketNotAccepted(reading.Reason);
        }
        else if (ReferenceEquals(reading.Reason, TicketReasons.IssuedAhead) && Interlocked.Exchange(ref _toldOfClocks, 1) == 0)
        {
            _logger.ClocksDiffer(TicketCodec.ClockTolerance);
        }
    }
}
