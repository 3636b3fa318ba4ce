namespace Affinity.FaultTests.History;

/// <summary>
/// Compares every response with what its visitor had been answered before. For each visitor by itself, as sessions are not shared: what was answered is read in every later response, on whichever
/// node, or the visitor is told; nothing goes back; nobody sees what is another's, or over. A write without an answer, or with an error, may have been made or not, and may still be made.
/// </summary>
internal static class HistoryChecker
{
    /// <summary>The key that <see cref="Act.Add"/> counts in.</summary>
    public const string Counter = "n";

    private static readonly TimeSpan SlowAbove = TimeSpan.FromSeconds(1);

    public static HistoryVerdict Check(IReadOnlyCollection<HistoryEvent> history)
    {
        var findings = new Findings();
        foreach (var session in history.GroupBy(e => (e.Visitor, e.Session)))
        {
            var ledger = new Ledger(session.Key.Visitor, session.Key.Session, findings);
            foreach (var e in session)
            {
                ledger.Take(e);
            }

            ledger.Close();
        }

        var durations = history.Select(e => e.Took).Order().ToList();
        return new HistoryVerdict
        {
            Requests = history.Count,
            Failed = history.Count(e => !e.IsAnswered),
            Slow = history.Count(e => e.Took > SlowAbove),
            P99 = durations.Count == 0 ? TimeSpan.Zero : durations[(durations.Count - 1) * 99 / 100],
            Saved = findings.Saved,
            ToldLost = findings.ToldLost,
            LostAndNotTold = findings.LostAndNotTold,
            Stale = findings.Stale,
            Crossed = findings.Crossed,
            Resurrected = findings.Resurrected,
            Impossible = findings.Impossible,
            FalseAlarms = findings.FalseAlarms,
            Complaints = findings.Complaints,
        };
    }
}
