using System.Globalization;

namespace Affinity.LoadBench;

/// <summary>How cost grows with nodes, live sessions and the size of a session; one row of a CSV per point.</summary>
internal sealed class Scaling(TimeSpan duration, int rounds, bool quick)
{
    private const int Connections = 32;
    private static readonly string[] Operations = ["read", "write"];

    private readonly List<ScalingPoint> _points = [];

    public async Task<IReadOnlyList<ScalingPoint>> RunAsync()
    {
        foreach (var nodes in (int[])[1, 2, 4])
        {
            await NodesAsync(nodes);
        }

        await LiveSessionsAsync(quick ? [1, 100, 10_000] : [1, 10, 100, 1_000, 10_000, 100_000]);
        foreach (var bytes in quick ? (int[])[200, 4_096, 65_536] : [200, 1_024, 4_096, 16_384, 65_536, 262_144])
        {
            await SizeAsync(bytes);
        }

        return _points;
    }

    /// <summary>The same connections and visitors, spread evenly over the nodes of one farm, each visitor on their own node.</summary>
    private async Task NodesAsync(int count)
    {
        await using var network = await Network.StartAsync(TimeSpan.Zero);
        var nodes = new List<Contender>();
        try
        {
            for (var i = 0; i < count; i++)
            {
                nodes.Add(await Contender.StartAsync("affinity", network, bytes: 1_024, Contender.Visitors / count, "bench-" + (i + 1).ToString(CultureInfo.InvariantCulture)));
            }

            await MeasureAsync("nodes", count, Contender.Visitors, bytes: 1_024, heapPerSession: double.NaN, nodes, network);
        }
        finally
        {
            foreach (var node in nodes)
            {
                await node.DisposeAsync();
            }
        }
    }

    private async Task LiveSessionsAsync(int[] counts)
    {
        await using var network = await Network.StartAsync(TimeSpan.Zero);
        await using var app = await Contender.StartAsync("affinity", network, bytes: 1_024, visitors: 0);
        var empty = await EmptyHeapAsync(app);
        foreach (var count in counts)
        {
            await app.GrowAsync(count);
            await MeasureAsync("sessions", 1, count, bytes: 1_024, count < 100 ? double.NaN : (await app.HeapAsync() - empty) / (double)count, [app], network);
        }
    }

    private async Task SizeAsync(int bytes)
    {
        await using var network = await Network.StartAsync(TimeSpan.Zero);
        await using var app = await Contender.StartAsync("affinity", network, bytes, visitors: 0);
        var empty = await EmptyHeapAsync(app);
        await app.GrowAsync(Contender.Visitors);
        await MeasureAsync("size", 1, Contender.Visitors, bytes, (await app.HeapAsync() - empty) / (double)Contender.Visitors, [app], network);
    }

    /// <summary>Without visitors, but after the code has been compiled and the pools are filled.</summary>
    private static async Task<long> EmptyHeapAsync(Contender app)
    {
        await app.MeasureAsync(new Setting("anonymous", Connections, TimeSpan.Zero), TimeSpan.FromSeconds(2));
        return await app.HeapAsync();
    }

    private async Task MeasureAsync(string series, int nodes, int sessions, int bytes, double heapPerSession, IReadOnlyList<Contender> apps, Network network)
    {
        foreach (var operation in Operations)
        {
            var setting = new Setting(operation, Connections / nodes, TimeSpan.Zero);

            // Compiled code in its last form before anything counts: each point may be a new process.
            await Task.WhenAll(apps.Select(app => app.MeasureAsync(setting, TimeSpan.FromSeconds(quick ? 2 : 5))));
            var samples = new List<Sample>();
            for (var round = 0; round < rounds; round++)
            {
                Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {series}: {nodes} node(s), {sessions} session(s), {bytes} bytes, {operation}");
                samples.Add(await RoundAsync(setting, apps, network));
            }

            _points.Add(new ScalingPoint(series, nodes, sessions, bytes, operation, Sample.Median(samples), heapPerSession));
        }

        foreach (var app in apps)
        {
            await app.CheckAsync();
        }
    }

    /// <summary>All nodes at once: throughput adds up, times are those of the slowest node, and what Redis did is shared by all requests.</summary>
    private async Task<Sample> RoundAsync(Setting setting, IReadOnlyList<Contender> apps, Network network)
    {
        var (scripts, bytes, cpu) = (await network.ScriptsAsync(), await network.BytesAsync(), await network.CpuAsync());
        var each = await Task.WhenAll(apps.Select(app => app.MeasureAsync(setting, duration)));
        var perSecond = each.Sum(sample => sample.PerSecond);
        var requests = perSecond * duration.TotalSeconds;
        return new Sample(
            perSecond, each.Max(sample => sample.P50), each.Max(sample => sample.P99), each.Sum(sample => sample.Cpu * sample.PerSecond) / perSecond, (await network.ScriptsAsync() - scripts) / requests,
            (await network.BytesAsync() - bytes) / requests, (await network.CpuAsync() - cpu) / requests, each.Average(sample => sample.AnswerBytes), each.Sum(sample => sample.Errors));
    }
}

/// <param name="Series">What varies: <c>nodes sessions size</c>.</param>
/// <param name="Nodes">Apps in the farm.</param>
/// <param name="Sessions">Live sessions, all in turn.</param>
/// <param name="Bytes">Of a session's one value.</param>
/// <param name="Operation"><c>read write</c>.</param>
/// <param name="Sample">Medians.</param>
/// <param name="HeapPerSession">Bytes of the app's managed heap, near cache mostly; NaN where it cannot be told from the rest.</param>
internal sealed record ScalingPoint(string Series, int Nodes, int Sessions, int Bytes, string Operation, Sample Sample, double HeapPerSession)
{
    public const string Header = "series,nodes,sessions,bytes,operation,requests_per_s,p50_us,p99_us,app_cpu_us,redis_cpu_us,redis_commands,redis_bytes,heap_bytes_per_session,errors";

    public string ToCsv() => FormattableString.Invariant(
        $"{Series},{Nodes},{Sessions},{Bytes},{Operation},{Sample.PerSecond:0},{Sample.P50:0},{Sample.P99:0},{Sample.Cpu:0.0},{Sample.RedisCpu:0.00},{Sample.Commands:0.0000},{Sample.RedisBytes:0.0},{HeapPerSession:0},{Sample.Errors}");

    public static ScalingPoint Parse(string line)
    {
        var cells = line.Split(',');
        return new ScalingPoint(
            cells[0], Whole(1), Whole(2), Whole(3), cells[4], new Sample(Of(5), Of(6), Of(7), Of(8), Of(10), Of(11), Of(9), AnswerBytes: 0, (long)Of(13)), Of(12));

        double Of(int i) => double.Parse(cells[i], CultureInfo.InvariantCulture);

        int Whole(int i) => (int)Of(i);
    }
}
