using System.Diagnostics;
using System.Globalization;
using Affinity.FaultTests.History;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Kit;

/// <summary>
/// Plays a row: visitors send requests, the fault strikes and ends, every node answers again, every visitor reads on each node, and the whole history is compared with what was answered.
/// Whatever the fault: what was answered is read or told, and sessions do not cross, go back, or come back from the dead.
/// </summary>
public abstract class FaultRows(ITestOutputHelper output)
{
    private const int Visitors = 8;
    private static readonly TimeSpan HealsWithin = TimeSpan.FromSeconds(20);

    private protected ITestOutputHelper Output => output;

    private protected async Task<HistoryVerdict> PlayAsync(ProbeFarm farm, Scene scene, Func<IReadOnlyList<LoadVisitor>, Task>? strike = null)
    {
        var crowd = Enumerable.Range(0, Visitors).Select(number => new LoadVisitor(number, farm, scene)).ToList();
        using var end = new CancellationTokenSource();
        var mayEnd = scene.More.Count == 0;
        var load = crowd.Select(visitor => visitor.RunAsync(() => Volatile.Read(ref mayEnd), end.Token)).ToList();
        await SaveAsync(crowd, scene.Before);
        Volatile.Write(ref mayEnd, scene.EndsSessions);
        await (strike?.Invoke(crowd) ?? scene.Strike());
        var ended = Stopwatch.GetTimestamp();
        foreach (var node in farm.Nodes)
        {
            await Eventually.WritesAsync(node.BaseAddress, HealsWithin);
        }

        var healed = Stopwatch.GetElapsedTime(ended);
        Volatile.Write(ref mayEnd, false);
        await SaveAsync(crowd, scene.After);
        await end.CancelAsync();
        await Task.WhenAll(load);
        // Who wanders afterwards asks nodes that may not have tried the store again yet.
        var failed = crowd.SelectMany(visitor => visitor.History).Where(Fails).ToHashSet();
        var aged = FaultFarm.MaxAge - (Stopwatch.GetElapsedTime(ended) - healed) + TimeSpan.FromMilliseconds(200);
        await Task.Delay(aged > TimeSpan.Zero ? aged : TimeSpan.Zero);
        var reads = await Task.WhenAll(crowd.Select(visitor => visitor.ReadEverywhereAsync()));

        var history = crowd.SelectMany(visitor => visitor.History).ToList();
        var verdict = HistoryChecker.Check(history);
        var readable = reads.All(read => read);
        Tell(scene, verdict, history, healed, failed);
        if (!readable || (scene.FailsNothing && failed.Count > 0) || (scene.LosesNothing && verdict is not { Lost: 0, FalseAlarms: 0 }))
        {
            TellUnanswered(history, farm);
        }

        if (history.Any(e => e.Status == 500))
        {
            TellFailures(farm);
        }

        Judge(scene, verdict, history, failed, readable);
        return verdict;
    }

    /// <summary>SIGKILL; a second later it starts again with what it has kept.</summary>
    private protected static async Task DieForASecondAsync(RedisServer redis)
    {
        redis.Kill();
        await Task.Delay(TimeSpan.FromSeconds(1));
        await redis.RestartAsync();
    }

    /// <summary>By work and not by time, so that a machine that is busy with other things lets a row take longer and not show less.</summary>
    private static async Task SaveAsync(List<LoadVisitor> crowd, int more)
    {
        var watch = Stopwatch.StartNew();
        for (var wanted = crowd.Sum(visitor => visitor.Saved) + more; crowd.Sum(visitor => visitor.Saved) < wanted; await Task.Delay(50))
        {
            Assert.True(watch.Elapsed < HealsWithin, $"The visitors did not save {more} values within {HealsWithin}.");
        }
    }

    private void Tell(Scene scene, HistoryVerdict verdict, List<HistoryEvent> history, TimeSpan healed, HashSet<HistoryEvent> failed)
    {
        output.WriteLine(FaultTable.Record(scene.Fault, verdict));
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{verdict.Saved} values saved; every node answers {healed.TotalSeconds:N1} s after the end of the fault; p99 {verdict.P99.TotalMilliseconds:N0} ms, longest {history.Max(e => e.Took).TotalMilliseconds:N0} ms; {verdict.FalseAlarms} false alarms; failed: {Statuses(history)}"));
        foreach (var complaint in verdict.Complaints.Take(20))
        {
            output.WriteLine(complaint);
            output.WriteLine(string.Join('\n', Before(history.FindIndex(e => complaint.EndsWith(e.ToString(), StringComparison.Ordinal)), history)));
        }

        if (scene.FailsNothing)
        {
            foreach (var (e, at) in history.Select((e, at) => (e, at)).Where(item => failed.Contains(item.e)).Take(3))
            {
                output.WriteLine($"failed: {e}");
                output.WriteLine(string.Join('\n', Before(at, history)));
            }
        }
    }

    /// <summary>Which requests went without an answer at last, and what the nodes have said since.</summary>
    private void TellUnanswered(List<HistoryEvent> history, ProbeFarm farm)
    {
        foreach (var visitor in history.GroupBy(e => e.Visitor).Where(visitor => visitor.TakeLast(40).Any(e => !e.IsAnswered)))
        {
            output.WriteLine(string.Join('\n', visitor.TakeLast(40).Select(e => $"{(e.IsAnswered ? "answered" : "not answered")}: {e}")));
        }

        foreach (var node in farm.Nodes)
        {
            output.WriteLine(string.Join('\n', node.Output.Lines().TakeLast(40).Select(line => $"{node.BaseAddress}: {line}")));
        }
    }

    private static bool Fails(HistoryEvent e) => !e.IsAnswered && e is not { Act: Act.Abandon, Status: 503 };

    /// <summary>What the nodes have said of exceptions: nothing that is a 500 is meant.</summary>
    private void TellFailures(ProbeFarm farm)
    {
        foreach (var line in farm.Nodes.SelectMany(node => node.Output.Lines()).Where(line => line.Contains("Exception", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Take(20))
        {
            output.WriteLine(line);
        }
    }

    private static string Statuses(List<HistoryEvent> history) =>
        string.Join(", ", history.Where(e => !e.IsAnswered).GroupBy(e => (e.Status, e.Act)).OrderBy(group => group.Key).Select(group => $"{group.Count()} × {group.Key.Act} {group.Key.Status}"));

    /// <summary>What led to it.</summary>
    private static IEnumerable<string> Before(int at, List<HistoryEvent> history) =>
        history.Take(at).Where(e => e.Visitor == history[at].Visitor).TakeLast(8).Select(e => "    after " + e);

    private static void Judge(Scene scene, HistoryVerdict verdict, List<HistoryEvent> history, HashSet<HistoryEvent> failed, bool readable)
    {
        List<string> broken = [];
        void Expect(bool holds, string what)
        {
            if (!holds)
            {
                broken.Add(what);
            }
        }

        Expect(verdict is { Crossed: 0, Resurrected: 0, Impossible: 0 } && verdict is { LostAndNotTold: 0, Stale: 0 }, string.Join('\n', verdict.Complaints.Take(10)));
        Expect(readable, "A node did not answer in the end.");
        Expect(history.Max(e => e.Took) <= scene.Bound, $"A request took {history.Max(e => e.Took)}.");
        Expect(!scene.LosesNothing || verdict is { Lost: 0, FalseAlarms: 0 }, $"{verdict.Lost} values were lost, {verdict.FalseAlarms} losses told that were none; the store had lost nothing, or nodes that live remember it.");
        Expect(scene.P99Bound is not { } bound || verdict.P99 <= bound, $"The 99th percentile is {verdict.P99}.");
        Expect(!scene.FailsNothing || failed.Count == 0, $"Requests failed: {Statuses(history)}");
        Assert.True(broken.Count == 0, string.Join('\n', broken));
    }
}
