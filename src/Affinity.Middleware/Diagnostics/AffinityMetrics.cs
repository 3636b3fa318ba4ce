using System.Diagnostics.Metrics;

namespace Affinity.Diagnostics;

/// <summary>Every figure that Affinity counts, on the meter <c>Affinity</c>. Tags have few values; none comes from a client.</summary>
internal sealed class AffinityMetrics
{
    public const string MeterName = "Affinity";

    private readonly Counter<long> _ticketReads;

    public AffinityMetrics(IMeterFactory factory)
    {
        // The factory disposes of the meter.
        var meter = factory.Create(MeterName);
        _ticketReads = meter.CreateCounter<long>("affinity.ticket.reads", "{ticket}", "Requests that came with tickets, by what came of them.");
    }

    public void TicketRead(string result) => _ticketReads.Add(1, new KeyValuePair<string, object?>("affinity.ticket.result", result));
}
