using System.Globalization;

namespace Affinity.LoadBench;

/// <summary>Tables in Markdown: every figure, and what was aimed at.</summary>
internal sealed class Report(TextWriter output)
{
    private readonly Dictionary<Setting, Dictionary<string, Sample>> _samples = [];

    public bool HasErrors => _samples.Values.Any(byName => byName.Values.Any(sample => sample.Errors > 0));

    public void Begin(int rounds, TimeSpan duration, int bytes)
    {
        output.WriteLine(Machine.Describe());
        output.WriteLine();
        output.WriteLine(Text($"{rounds} round(s) of {duration.TotalSeconds:0} s each, interleaved; medians. Sessions of {bytes:N0} bytes, 256 visitors in turn."));
        output.WriteLine();
        output.WriteLine("| setting | app | requests/s | beside noop | p50 µs | p99 µs | CPU µs/request | Redis CPU µs/request | Redis commands/request | Redis bytes/request | answer bytes |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
    }

    public void Add(Setting setting, Dictionary<string, Sample> samples)
    {
        _samples[setting] = samples;
        foreach (var (name, sample) in samples)
        {
            var commands = setting.Delay > TimeSpan.Zero ? Text($"{sample.Commands:0.00}") : "–";
            output.WriteLine(Text(
                $"| {setting} | {name} | {sample.PerSecond:N0} | {sample.PerSecond / samples["noop"].PerSecond:0.00} | {sample.P50:N0} | {sample.P99:N0} | {sample.Cpu:0.0} | {sample.RedisCpu:0.0} | {commands} | {sample.RedisBytes:N0} | {sample.AnswerBytes:N0} |{(sample.Errors > 0 ? $" {sample.Errors} errors" : "")}"));
        }

        output.Flush();
    }

    public void End()
    {
        output.WriteLine();
        output.WriteLine("| what | target | measured |");
        output.WriteLine("|---|---|---|");
        Row("sticky read, 0 ms, 32 connections: throughput beside noop", "≥ 0.90", Per("read", 32, 0, "affinity", "noop"));
        Row("sticky read, 1 ms, 1 connection: p50 beside noop's", "≤ 1.15", Slower("read", 1, 1, "affinity", "noop"));
        Row("the same at 32 connections", "≤ 1.15", Slower("read", 32, 1, "affinity", "noop"));
        Row("sticky read beside the framework's, 1 ms, 1 connection: p50", "≥ 50 × faster", Slower("read", 1, 1, "framework", "affinity"));
        Row("write beside the framework's, 1 ms, 1 connection: p50", "≥ 2.7 × faster", Slower("write", 1, 1, "framework", "affinity"));
        Row("read beside the framework's, 0 ms, 32 connections: throughput", "≥ 3.5", Per("read", 32, 0, "affinity", "framework"));
        Row("write, likewise", "≥ 1.5", Per("write", 32, 0, "affinity", "framework"));
        Row("untouched, likewise", "≥ 2.5", Per("untouched", 32, 0, "affinity", "framework"));
        Row("sticky read beside the framework's in-process session, 0 ms, 32 connections", "≥ 1.3", Per("read", 32, 0, "affinity", "memory"));
        Row("app CPU per sticky read beyond noop's, 0 ms, 32 connections", "≤ 10 %", (Of("read", 32, 0, "affinity").Cpu / Of("read", 32, 0, "noop").Cpu - 1) * 100);
        foreach (var (operation, target) in new[] { ("read", "0"), ("untouched", "0"), ("anonymous", "0"), ("write", "1") })
        {
            Row(Text($"Redis trips: {operation}"), target, Of(operation, 32, 1, "affinity").Commands);
        }
    }

    private void Row(string what, string target, double measured) => output.WriteLine(Text($"| {what} | {target} | {measured:0.00} |"));

    private double Per(string operation, int connections, int delay, string one, string other) => Of(operation, connections, delay, one).PerSecond / Of(operation, connections, delay, other).PerSecond;

    private double Slower(string operation, int connections, int delay, string slow, string fast) => Of(operation, connections, delay, slow).P50 / Of(operation, connections, delay, fast).P50;

    private Sample Of(string operation, int connections, int delay, string name) => _samples[new Setting(operation, connections, TimeSpan.FromMilliseconds(delay))][name];

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
