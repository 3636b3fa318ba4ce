using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.Tests.Sessions.NearCaching.Model;

/// <summary>Whatever happens between three nodes, in whatever order: nothing that was promised to a visitor is broken.</summary>
public sealed class ThreeNodesTests(ITestOutputHelper output)
{
    private const int Plans = 1000;

    [Fact]
    public void No_order_of_events_breaks_a_promise()
    {
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        Prop.ForAll(ModelStep.Plans, plan =>
        {
            foreach (var (what, times) in ModelWorld.Run(plan).Counts)
            {
                counts[what] = counts.GetValueOrDefault(what) + times;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Plans).WithReplay(20300101, 20300103));

        output.WriteLine(string.Join("; ", counts.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Key}: {pair.Value}"))));
        string[] reached =
        [
            "near Found", "store Found", "store Ended", "store Absent", "store JustSuperseded", "saved", "renewed", "abandoned", "refused Abandoned", "refused Superseded", "refused Lost",
            "conflict", "unchanged", "cookie overtaken", "announcement missed",
        ];
        Assert.All(reached, what => Assert.True(counts.GetValueOrDefault(what) >= 20, $"The plans hardly ever lead to: {what}."));
    }
}
