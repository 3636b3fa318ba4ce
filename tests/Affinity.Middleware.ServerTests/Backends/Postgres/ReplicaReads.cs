using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Affinity.Diagnostics;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>Counts affinity.replica.reads of one node by outcome.</summary>
internal sealed class ReplicaReads : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, long> _counts = new(StringComparer.Ordinal);

    public ReplicaReads(IMeterFactory factory)
    {
        var mine = factory.Create(AffinityMetrics.MeterName);
        _listener.InstrumentPublished = (instrument, self) =>
        {
            if (ReferenceEquals(instrument.Meter, mine) && instrument.Name is "affinity.replica.reads")
            {
                self.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, tags, _) => _counts.AddOrUpdate((string)tags[0].Value!, value, (_, count) => count + value));
        _listener.Start();
        Metrics = new AffinityMetrics(factory);
    }

    public AffinityMetrics Metrics { get; }

    public long this[string outcome] => _counts.GetValueOrDefault(outcome);

    public void Dispose() => _listener.Dispose();
}
