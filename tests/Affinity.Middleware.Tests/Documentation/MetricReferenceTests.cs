using System.Diagnostics.Metrics;
using System.Reflection;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>docs/operations.md tells of every instrument, with its kind, unit and tags, and of none that does not exist.</summary>
public sealed class MetricReferenceTests
{
    private static readonly Document Operations = Document.Of("docs/operations.md");

    [Fact]
    public void Every_instrument_stands_in_the_reference_and_no_other_does()
    {
        var real = Observe().Select(instrument => (instrument.Key.Name, KindOf(instrument.Key), instrument.Key.Unit ?? "", string.Join(", ", instrument.Value)));

        var reference = Operations.Rows("## Metrics")
            .Where(cells => cells.Length == 5 && Document.Code(cells[0]) is not null)
            .Select(cells => (Document.Code(cells[0])!, cells[1], Document.Code(cells[2]) ?? "", cells[3].Replace("`", "", StringComparison.Ordinal)));

        Assert.Equal(real.OrderBy(instrument => instrument.Name, StringComparer.Ordinal), reference.OrderBy(row => row.Item1, StringComparer.Ordinal));
    }

    [Fact]
    public void Every_reason_of_a_refused_ticket_stands_in_the_reference()
    {
        var row = Operations.Rows("## Metrics").Single(cells => cells.Length == 2 && Document.Code(cells[0]) is "affinity.ticket.result");

        var reasons = typeof(TicketReasons).GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!).ToList();

        Assert.NotEmpty(reasons);
        Assert.DoesNotContain(reasons, reason => !row[1].Contains($"`{reason}`", StringComparison.Ordinal));
    }

    /// <summary>Every instrument that reports, with the names of its tags.</summary>
    private static Dictionary<Instrument, string[]> Observe()
    {
        Dictionary<Instrument, string[]> seen = [];
        var published = new List<Instrument>();
        using var listener = new MeterListener();
        Meter? mine = null;
        listener.InstrumentPublished = (instrument, self) =>
        {
            // Other tests of this process have meters of this name at the same time.
            if (ReferenceEquals(instrument.Meter, mine))
            {
                published.Add(instrument);
                self.EnableMeasurementEvents(instrument);
            }
        };
        listener.SetMeasurementEventCallback<int>((instrument, _, tags, _) => Remember(instrument, tags));
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Remember(instrument, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Remember(instrument, tags));
        listener.Start();

        var metrics = TestMetrics.Create(meter => mine = meter);
        metrics.ObserveNode(() => 1, () => 1, () => 1);
        metrics.StickinessDecided("", "");
        metrics.TicketRead("");
        metrics.SessionLoaded("");
        metrics.SessionSaved("");
        metrics.SessionLost("");
        metrics.SessionHealed("");
        metrics.SaveConflict();
        metrics.JournalReplayed("");
        metrics.TouchDropped();
        metrics.StoreCalled("", "", TimeSpan.Zero);
        metrics.Beat("");
        metrics.CacheRead("");
        metrics.ReplicaRead("");
        metrics.ObserveReplicas(() => [(1, TimeSpan.Zero)]);
        listener.RecordObservableInstruments();

        Assert.Equal(published.Count, seen.Count);
        return seen;

        void Remember(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags) =>
            seen[instrument] = Array.ConvertAll(tags.ToArray(), tag => tag.Key);
    }

    private static string KindOf(Instrument instrument) =>
        instrument.GetType().Name.Split('`')[0].Replace("Observable", "", StringComparison.Ordinal).ToLowerInvariant();
}
