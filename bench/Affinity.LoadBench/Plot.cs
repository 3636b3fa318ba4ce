using System.Globalization;
using System.Text;

namespace Affinity.LoadBench;

/// <summary>A line of a panel.</summary>
internal sealed record Line(string Name, string Colour, IReadOnlyList<(double X, double Y)> Points);

/// <summary>Panels in a grid as one SVG, drawn from the CSV alone.</summary>
internal sealed class Plot
{
    private const int Width = 400, Height = 286, Left = 74, Top = 60, Right = 22, Bottom = 56;
    private static readonly (string Series, string Label, Func<ScalingPoint, double> X)[] Columns =
    [
        ("nodes", "nodes", point => point.Nodes),
        ("sessions", "live sessions", point => point.Sessions),
        ("size", "bytes per session", point => point.Bytes),
    ];

    private readonly StringBuilder _svg = new();

    public static string Draw(IReadOnlyList<ScalingPoint> points, string machine)
    {
        var plot = new Plot();
        plot.Add($"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width * 3} {Height * 3 + 70}" font-family="sans-serif" font-size="12" fill="#222">""");
        plot.Add($"""<rect width="{Width * 3}" height="{Height * 3 + 70}" fill="#fff"/>""");
        plot.Add($"""<text x="{Left}" y="26" font-size="17" font-weight="bold">Affinity: what a request costs as the farm, the sessions and their size grow</text>""");
        plot.Add($"""<text x="{Left}" y="46" font-size="11" fill="#555">{machine.Replace("&", "&amp;", StringComparison.Ordinal)}</text>""");
        for (var column = 0; column < Columns.Length; column++)
        {
            var (series, label, x) = Columns[column];
            var mine = points.Where(point => string.Equals(point.Series, series, StringComparison.Ordinal)).ToList();
            plot.Panel(column, 0, "Throughput", label, "requests per second", log: false, [Of("read", "read", "#1b6ca8", p => p.Sample.PerSecond), Of("write", "write", "#c8511b", p => p.Sample.PerSecond)]);
            plot.Panel(column, 1, "Processor time", label, "µs per request", log: true,
                [Of("read", "app, read", "#1b6ca8", p => p.Sample.Cpu), Of("write", "app, write", "#c8511b", p => p.Sample.Cpu), Of("read", "Redis, read", "#8cc0e6", p => p.Sample.RedisCpu), Of("write", "Redis, write", "#efb28f", p => p.Sample.RedisCpu)]);
            if (series is "nodes")
            {
                plot.Panel(column, 2, "Trips to Redis", label, "scripts per request", log: false, [Of("read", "read", "#1b6ca8", p => p.Sample.Commands), Of("write", "write", "#c8511b", p => p.Sample.Commands)]);
            }
            else
            {
                plot.Panel(column, 2, series is "sessions" ? "Trips to Redis" : "Memory of the app", label, series is "sessions" ? "scripts per request" : "heap bytes per session", log: series is "size",
                    series is "sessions" ? [Of("read", "read", "#1b6ca8", p => p.Sample.Commands), Of("write", "write", "#c8511b", p => p.Sample.Commands)] : [Of("read", "near cache", "#5a8f29", p => p.HeapPerSession)]);
            }

            Line Of(string operation, string name, string colour, Func<ScalingPoint, double> y) =>
                new(name, colour, [.. mine.Where(p => string.Equals(p.Operation, operation, StringComparison.Ordinal)).Select(p => (x(p), y(p))).Where(pair => double.IsFinite(pair.Item2))]);
        }

        plot.Add($"</svg>");
        return plot._svg.ToString();
    }

    private void Panel(int column, int row, string title, string xLabel, string yLabel, bool log, Line[] lines)
    {
        // A log axis has no zero: what is nothing is left out, not put at the edge.
        lines = [.. lines.Select(line => line with { Points = [.. line.Points.Where(point => !log || point.Y >= 0.05)] }).Where(line => line.Points.Count > 0)];
        if (lines.Length == 0)
        {
            return;
        }

        var all = lines.SelectMany(line => line.Points).ToList();
        var (x0, y0) = (column * Width + Left, row * Height + Top + 42);
        var (width, height) = (Width - Left - Right, Height - Bottom - 48);
        var ticksX = all.Select(point => point.X).Distinct().Order().ToList();
        var (minX, maxX) = (Math.Log(ticksX[0]), Math.Max(Math.Log(ticksX[^1]), Math.Log(ticksX[0]) + 1));
        var ticksY = log ? LogTicks(all.Min(p => p.Y), all.Max(p => p.Y)) : LinearTicks(all.Max(p => p.Y));
        var (minY, maxY) = (Scale(ticksY[0]), Scale(ticksY[^1]));
        Add($"""<text x="{x0}" y="{y0 - 28}" font-weight="bold">{title}</text>""");
        foreach (var tick in ticksY)
        {
            Add($"""<line x1="{x0}" x2="{x0 + width}" y1="{Y(tick):0.0}" y2="{Y(tick):0.0}" stroke="#e4e4e4"/><text x="{x0 - 6}" y="{Y(tick) + 4:0.0}" text-anchor="end" font-size="11">{Short(tick)}</text>""");
        }

        foreach (var tick in ticksX)
        {
            Add($"""<line x1="{X(tick):0.0}" x2="{X(tick):0.0}" y1="{y0 + height}" y2="{y0 + height + 4}" stroke="#888"/><text x="{X(tick):0.0}" y="{y0 + height + 17}" text-anchor="middle" font-size="11">{Short(tick)}</text>""");
        }

        Add($"""<line x1="{x0}" x2="{x0 + width}" y1="{y0 + height}" y2="{y0 + height}" stroke="#888"/>""");
        Add($"""<text x="{x0 + width / 2}" y="{y0 + height + 34}" text-anchor="middle" fill="#555">{xLabel}</text>""");
        Add($"""<text transform="translate({x0 - 54} {y0 + height / 2}) rotate(-90)" text-anchor="middle" fill="#555">{yLabel}</text>""");
        var legend = x0;
        foreach (var line in lines)
        {
            Add($"""<rect x="{legend}" y="{y0 - 19}" width="9" height="9" fill="{line.Colour}"/><text x="{legend + 13}" y="{y0 - 10}" font-size="11" fill="#444">{line.Name}</text>""");
            legend += 22 + (int)(line.Name.Length * 5.6);
            Add($"""<polyline fill="none" stroke="{line.Colour}" stroke-width="2" points="{string.Join(' ', line.Points.Select(p => Text($"{X(p.X):0.0},{Y(p.Y):0.0}")))}"/>""");
            foreach (var (x, y) in line.Points)
            {
                Add($"""<circle cx="{X(x):0.0}" cy="{Y(y):0.0}" r="3" fill="{line.Colour}"/>""");
            }
        }

        double Scale(double y) => log ? Math.Log10(y) : y;

        double X(double x) => x0 + 14 + (Math.Log(x) - minX) / (maxX - minX) * (width - 28);

        double Y(double y) => y0 + height - (Scale(y) - minY) / (maxY - minY) * height;
    }

    /// <summary>Whole decades around the values.</summary>
    private static List<double> LogTicks(double least, double most)
    {
        var (from, to) = ((int)Math.Floor(Math.Log10(least)), (int)Math.Ceiling(Math.Log10(most)));
        return [.. Enumerable.Range(from, Math.Max(to - from, 1) + 1).Select(power => Math.Pow(10, power))];
    }

    /// <summary>From zero, in four to eight steps of 1, 2 or 5.</summary>
    private static List<double> LinearTicks(double most)
    {
        most = Math.Max(most, 0.1);
        var power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        var step = (most / power) switch { <= 2 => 0.25, <= 5 => 1, _ => 2 } * power;
        return [.. Enumerable.Range(0, (int)Math.Ceiling(most / step) + 1).Select(i => i * step)];
    }

    private static string Short(double value) => value switch
    {
        >= 1_024 when value % 1_024 == 0 => Text($"{value / 1_024:0} Ki"),
        >= 1_000_000 => Text($"{value / 1_000_000:0.#} M"),
        >= 1_000 => Text($"{value / 1_000:0.#} k"),
        _ => Text($"{value:0.##}"),
    };

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private void Add(FormattableString text) => _svg.AppendLine(text.ToString(CultureInfo.InvariantCulture));
}
