using System.Collections.Concurrent;
using System.Globalization;
using Affinity.TestKit;
using ShopFarm;

namespace Affinity.BalancerTests.Kit;

/// <summary>What was measured, a row per balancer. Written anew after each scenario to the file that <c>BALANCER_TABLE</c> names; <c>test.sh</c> prints it.</summary>
internal static class ResultTable
{
    private static readonly string[] Scenarios = ["killed while idle", "killed under load", "drain", "rolling restart", "two instances, one killed"];
    private static readonly ConcurrentDictionary<(string Balancer, string Scenario), string> Cells = new();

    /// <summary>Answers the cell, for the test's own output.</summary>
    public static string Record(string balancer, string scenario, Tally tally)
    {
        var faults = tally.Faults;
        var (gets, posts) = (faults.Count(f => !f.IsPost), faults.Count(f => f.IsPost));
        var errors = faults.Count == 0 ? "0" : $"{gets} GET + {posts} POST";
        var cell = string.Create(CultureInfo.InvariantCulture, $"{tally.Requests:N0} / {errors} / {tally.ValuesLost + tally.SignInsLost + tally.Doubled}");
        Cells[(balancer, scenario)] = cell;
        MeasuredTable.Write("BALANCER_TABLE", Render);
        return $"{balancer}, {scenario}: {cell} (requests / errors / lost), {tally.Answered} values answered";
    }

    private static string Render()
    {
        string[] header = [$"| requests / errors / lost | {string.Join(" | ", Scenarios)} |", $"|---|{string.Concat(Scenarios.Select(_ => "---|"))}"];
        var rows = Cells.Keys.Select(key => key.Balancer).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(balancer => $"| {balancer} | {string.Join(" | ", Scenarios.Select(scenario => Cells.GetValueOrDefault((balancer, scenario), "–")))} |");
        return string.Join('\n', header.Concat(rows)) + "\n";
    }
}
