using System.Diagnostics.Metrics;
using Affinity.Diagnostics;

namespace Affinity.Tests.Sessions;

/// <summary>Affinity's metrics without a host.</summary>
internal static class TestMetrics
{
    public static AffinityMetrics Create() => new(new Meters());

    private sealed class Meters : IMeterFactory
    {
        public Meter Create(MeterOptions options) => new(options);

        public void Dispose()
        {
        }
    }
}
