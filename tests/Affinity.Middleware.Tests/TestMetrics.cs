using System.Diagnostics.Metrics;
using Affinity.Diagnostics;

namespace Affinity.Tests;

/// <summary>Affinity's metrics without a host.</summary>
internal static class TestMetrics
{
    /// <param name="created">Told of the meter, for a listener that must not hear those of other tests.</param>
    public static AffinityMetrics Create(Action<Meter>? created = null) => new(new Meters(created));

    private sealed class Meters(Action<Meter>? created) : IMeterFactory
    {
        public Meter Create(MeterOptions options)
        {
            var meter = new Meter(options);
            created?.Invoke(meter);
            return meter;
        }

        public void Dispose()
        {
        }
    }
}
