using System.Globalization;
using Affinity.LoadBench;

// bench/load.sh [--quick] [--rounds n] [--seconds n] [--bytes n]: the whole system side by side, interleaved, medians, as ratios. Progress goes to standard error, the tables to standard output.
if (args is ["plot", var from, var to])
{
    Draw(from, to);
    return 0;
}

var quick = args.Contains("--quick");
var rounds = Number("--rounds", quick ? 1 : 5);
var duration = TimeSpan.FromSeconds(Number("--seconds", quick ? 1 : 3));
var bytes = Number("--bytes", 1024);
if (args is ["scaling", var folder, ..])
{
    Directory.CreateDirectory(folder);
    var points = await new Scaling(duration, Number("--rounds", quick ? 1 : 3), quick).RunAsync();
    await File.WriteAllLinesAsync(Path.Combine(folder, "scaling.csv"), ["# " + Machine.Describe(), ScalingPoint.Header, .. points.Select(point => point.ToCsv())]);
    Draw(Path.Combine(folder, "scaling.csv"), Path.Combine(folder, "scaling.svg"));
    return points.Any(point => point.Sample.Errors > 0) ? 1 : 0;
}

if (args is ["stores", ..])
{
    return await new Stores(Console.Out, rounds, duration, bytes, quick).RunAsync() ? 0 : 1;
}

var report = new Report(Console.Out);
report.Begin(rounds, duration, bytes);
foreach (var delay in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMilliseconds(1)])
{
    await using var network = await Network.StartAsync(delay);
    var contenders = new List<Contender>();
    try
    {
        foreach (var name in (string[])["noop", "memory", "framework", "affinity"])
        {
            contenders.Add(await Contender.StartAsync(name, network, bytes));
        }

        foreach (var contender in contenders)
        {
            // Compiled code in its last form before anything counts.
            foreach (var operation in (string[])["anonymous", "untouched", "read", "write"])
            {
                await contender.MeasureAsync(new Setting(operation, 32, delay), TimeSpan.FromSeconds(quick ? 1 : 6));
            }
        }

        foreach (var connections in quick ? (int[])[1, 32] : [1, 32, 128])
        {
            foreach (var operation in (string[])["anonymous", "untouched", "read", "write"])
            {
                var setting = new Setting(operation, connections, delay);
                report.Add(setting, await Rounds.PlayAsync(contenders, setting, rounds, duration));
            }
        }

        foreach (var contender in contenders)
        {
            await contender.CheckAsync();
        }
    }
    finally
    {
        foreach (var contender in contenders)
        {
            await contender.DisposeAsync();
        }
    }
}

report.End();
return report.HasErrors ? 1 : 0;

void Draw(string csv, string svg)
{
    var lines = File.ReadAllLines(csv);
    File.WriteAllText(svg, Plot.Draw([.. lines.Skip(2).Select(ScalingPoint.Parse)], lines[0].TrimStart('#', ' ')));
}

int Number(string option, int usual) =>
    Array.IndexOf(args, option) is >= 0 and var at && at + 1 < args.Length ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : usual;
