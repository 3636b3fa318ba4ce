using System.Diagnostics.Metrics;
using Affinity.Diagnostics;

namespace Affinity.Tests.Stickiness;

/// <summary>What one node's metric tells of its decisions, and not what those of other tests tell.</summary>
internal sealed class StickinessDecisions : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly List<string> _seen = [];

    public StickinessDecisions(StickyNode node)
    {
        var meters = node.Get<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == AffinityMetrics.MeterName && ReferenceEquals(instrument.Meter.Scope, meters) && instrument.Name == "affinity.stickiness.decisions")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (_seen)
            {
                _seen.Add($"{tags[0].Value} {tags[1].Value}");
            }
        });
        _listener.Start();
    }

    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (_seen)
            {
                return [.. _seen];
            }
        }
    }

    public void Dispose() => _listener.Dispose();
}
