using System.Collections.Concurrent;
using System.Globalization;
using Affinity.FaultTests.History;
using Affinity.TestKit;

namespace Affinity.FaultTests.Kit;

/// <summary>What was measured, a row per fault. Written anew after each to the file that <c>FAULT_TABLE</c> names; <c>test.sh</c> prints it.</summary>
internal static class FaultTable
{
    private const string Header = "| fault | requests | failed | slow (> 1 s) | lost | told lost | lost and not told | stale, crossed, back from the dead |\n|---|---|---|---|---|---|---|---|";
    private static readonly ConcurrentDictionary<string, string> Rows = new(StringComparer.Ordinal);

    /// <summary>Answers the row, for the test's own output.</summary>
    public static string Record(string fault, HistoryVerdict verdict)
    {
        var row = string.Create(
            CultureInfo.InvariantCulture,
            $"| {fault} | {verdict.Requests:N0} | {verdict.Failed:N0} | {verdict.Slow:N0} | {verdict.Lost} | {verdict.ToldLost} | {verdict.LostAndNotTold} | {verdict.Stale + verdict.Crossed + verdict.Resurrected} |");
        Rows[fault] = row;
        MeasuredTable.Write("FAULT_TABLE", Render);
        return row;
    }

    private static string Render() => string.Join('\n', Rows.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value).Prepend(Header)) + "\n";
}
