using System.Diagnostics;
using System.Globalization;
using Affinity.Backends.Postgres;
using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.ServerTests.Kit;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>A farm of 200 nodes, each with a connection of its own, that beat once a second on one store: what a beat costs, and that nobody is overlooked.</summary>
[Collection(MeasuredAlone.Name)]
public sealed class ManyNodesTests(ITestOutputHelper output)
{
    private const int Count = 200;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeadAfter = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MeasuredOnPostgres = TimeSpan.FromSeconds(3);

    [ServerFact(Needs.Redis)]
    public async Task Each_of_200_nodes_sees_all_others_by_one_command_a_beat_and_a_killed_one_is_gone_in_time()
    {
        await using var server = await RedisServer.StartAsync();
        var nodes = Enumerable.Range(0, Count).Select(i => OnRedis(server.ConnectionString, i)).ToArray();
        try
        {
            await JoinAsync(nodes);
            await MeasureAsync(server, nodes);
            await KillOneAsync(nodes);
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    /// <summary>How a killed one goes is the conformance suite's.</summary>
    [ServerFact(Needs.Postgres)]
    public async Task Each_of_200_nodes_sees_all_others_on_PostgreSQL()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Settings = ["max_connections=250"] });
        var nodes = Enumerable.Range(0, Count).Select(i => OnPostgres(server.ConnectionString, i)).ToArray();
        try
        {
            await JoinAsync(nodes);
            await BeatForAsync(nodes, Interval);
            Array.ForEach(nodes, node => node.Beats.Clear());
            var (before, clock) = (server.ProcessorTime(), Stopwatch.StartNew());
            await BeatForAsync(nodes, MeasuredOnPostgres);
            var (busy, elapsed) = (server.ProcessorTime() - before, clock.Elapsed);

            var beats = nodes.SelectMany(node => node.Beats).ToArray();
            Assert.InRange(beats.Length, Count, Count * 4);
            Assert.All(beats, beat => Assert.Equal(Count, beat.Live.Count));
            var (median, p99) = Percentiles(beats);
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{Count} nodes, {beats.Length} beats in {elapsed.TotalSeconds:N1} s, one statement each: median {median:N2} ms, p99 {p99:N2} ms; PostgreSQL {busy / elapsed:P1} of one core, {busy.TotalMilliseconds / beats.Length:N2} ms per beat"));
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    private static Node OnRedis(string configuration, int number)
    {
        var options = new RedisOptions { Configuration = configuration };
        var connection = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        return new(connection, new RedisNodeDirectory(connection, options, NullLogger<RedisNodeDirectory>.Instance), number);
    }

    private static Node OnPostgres(string configuration, int number)
    {
        var database = new PostgresDatabase(new PostgresOptions { ConnectionString = configuration, SchemaName = "many_nodes" }, NullLogger<PostgresDatabase>.Instance);
        return new(database, new PostgresNodeDirectory(database, NullLogger<PostgresNodeDirectory>.Instance), number);
    }

    private static (double Median, double Last) Percentiles(Beat[] beats)
    {
        var durations = beats.Select(beat => beat.Took.TotalMilliseconds).Order().ToArray();
        return (durations[durations.Length / 2], durations[durations.Length * 99 / 100]);
    }

    /// <summary>A few at a time: each connection opens two sockets.</summary>
    private static async Task JoinAsync(Node[] nodes)
    {
        foreach (var some in nodes.Chunk(20))
        {
            await Task.WhenAll(some.Select(node => node.BeatAsync()));
        }
    }

    private async Task MeasureAsync(RedisServer server, Node[] nodes)
    {
        await BeatForAsync(nodes, Interval);
        Array.ForEach(nodes, node => node.Beats.Clear());
        var before = await ReadAsync(server);
        var clock = Stopwatch.StartNew();
        await BeatForAsync(nodes, Measured);
        var elapsed = clock.Elapsed;
        var after = await ReadAsync(server);

        var beats = nodes.SelectMany(node => node.Beats).ToArray();
        Assert.All(beats, beat => Assert.Equal(Count, beat.Live.Count));
        Assert.Equal(beats.Length, after.Scripts - before.Scripts);
        Assert.Equal(0, after.Loads - before.Loads);

        var (median, p99) = Percentiles(beats);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Count} nodes, {beats.Length} beats in {elapsed.TotalSeconds:N1} s, one command each: median {median:N2} ms, p99 {p99:N2} ms; "
            + $"{(after.In - before.In) / (double)beats.Length:N0} bytes to Redis and {(after.Out - before.Out) / (double)beats.Length:N0} back per beat; "
            + $"script {(after.Microseconds - before.Microseconds) / beats.Length:N0} µs, Redis {(after.Cpu - before.Cpu) / elapsed.TotalSeconds:P1} of one core"));
    }

    private static async Task KillOneAsync(Node[] nodes)
    {
        var killed = nodes[Count / 2];
        await killed.BeatAsync();
        var last = Stopwatch.GetTimestamp();
        var others = nodes.Except([killed]).ToArray();
        Array.ForEach(others, node => node.Beats.Clear());
        await BeatForAsync(others, DeadAfter + Interval + Interval);

        foreach (var node in others)
        {
            // Redis has counted from before the answer came, in whole milliseconds.
            var due = node.Beats.Where(beat => Stopwatch.GetElapsedTime(last, beat.Began) >= DeadAfter + TimeSpan.FromMilliseconds(1)).ToArray();
            Assert.NotEmpty(due);
            Assert.All(due, beat => Assert.Equal(Count - 1, beat.Live.Count));
            Assert.All(due, beat => Assert.DoesNotContain(beat.Live, seen => seen.Id == killed.Id));
        }
    }

    /// <summary>Every node beats once per interval, each at its own moment of it, as nodes that were started at random do.</summary>
    private static Task BeatForAsync(IEnumerable<Node> nodes, TimeSpan duration) => Task.WhenAll(nodes.Select(async node =>
    {
        var began = Stopwatch.GetTimestamp();
        await Task.Delay(Interval * node.Phase);
        using var timer = new PeriodicTimer(Interval);
        do
        {
            await node.BeatAsync();
        }
        while (Stopwatch.GetElapsedTime(began) + Interval < duration && await timer.WaitForNextTickAsync());
    }));

    private static async Task<Statistics> ReadAsync(RedisServer server)
    {
        var text = (await server.CommandAsync("INFO", "everything")).Text!;
        var lines = text.Split('\n').Select(line => line.Trim().Split(':', 2)).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1], StringComparer.Ordinal);
        return new(
            Part("cmdstat_evalsha", "calls="),
            Part("cmdstat_eval", "calls=") + Part("cmdstat_script|load", "calls="),
            Part("cmdstat_evalsha", "usec="),
            long.Parse(lines["total_net_input_bytes"], CultureInfo.InvariantCulture),
            long.Parse(lines["total_net_output_bytes"], CultureInfo.InvariantCulture),
            double.Parse(lines["used_cpu_sys"], CultureInfo.InvariantCulture) + double.Parse(lines["used_cpu_user"], CultureInfo.InvariantCulture));

        long Part(string line, string name) => lines.TryGetValue(line, out var value)
            ? long.Parse(value.Split(',').Single(part => part.StartsWith(name, StringComparison.Ordinal))[name.Length..], CultureInfo.InvariantCulture)
            : 0;
    }

    private sealed record Statistics(long Scripts, long Loads, long Microseconds, long In, long Out, double Cpu);

    private sealed record Beat(long Began, TimeSpan Took, IReadOnlyList<NodeRecord> Live);

    private sealed class Node : IAsyncDisposable
    {
        private readonly IAsyncDisposable _connection;
        private readonly INodeDirectory _directory;
        private readonly NodeRecord _record;

        public Node(IAsyncDisposable connection, INodeDirectory directory, int number)
        {
            (_connection, _directory) = (connection, directory);
            Id = NodeId.Parse(string.Create(CultureInfo.InvariantCulture, $"shop-{number:000}"));
            Phase = number / (double)Count;
            _record = new NodeRecord(Id, Guid.NewGuid(), NodeState.Active, InFlight: number % 7) { Bound = 1000 + number, Address = string.Create(CultureInfo.InvariantCulture, $"10.1.1.{number}:8080"), Track = "blue" };
        }

        public NodeId Id { get; }

        public double Phase { get; }

        public List<Beat> Beats { get; } = [];

        public async Task BeatAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            var began = Stopwatch.GetTimestamp();
            var beat = await _directory.BeatAsync(_record, DeadAfter, patience.Token);
            Beats.Add(new(began, Stopwatch.GetElapsedTime(began), beat.Live));
            Assert.True(beat.Accepted);
        }

        public ValueTask DisposeAsync() => _connection.DisposeAsync();
    }
}
