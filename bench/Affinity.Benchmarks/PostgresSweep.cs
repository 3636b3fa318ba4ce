using System.Diagnostics;
using System.Globalization;
using Affinity.Backends.Postgres;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Benchmarks;

/// <summary>Removes a million expired sessions from a PostgreSQL with fsync while others write and read, and tells what that costs them.</summary>
internal static class PostgresSweep
{
    private const int Expired = 1_000_000;
    private const int Writers = 4;
    private static readonly TimeSpan Phase = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    public static async Task RunAsync()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions { Durable = true, Settings = ["shared_buffers=256MB", "max_wal_size=4GB"] });
        var options = new PostgresOptions { ConnectionString = server.ConnectionString, SchemaName = "sweep" };
        await using var database = new PostgresDatabase(options, NullLogger<PostgresDatabase>.Instance);
        var store = new PostgresSessionStore(database, TimeProvider.System);
        var sweeper = new PostgresSweeper(database, TimeProvider.System, NullLogger<PostgresSweeper>.Instance);
        await store.ReadAsync(SessionKey.Of(SessionId.Create()), SessionVersion.None, CancellationToken.None);
        await server.ExecuteAsync("""
            INSERT INTO sweep.sessions (key, version, generation, generation_before, expires_before, expires, absolute, writes, payload)
            SELECT md5(n::text), '\x00000000000000010000000000000001', 0, 0, now(), now() - random() * interval '10 hours' - interval '1 hour', now() - interval '1 hour', '\x00000000000000010000000000000001', repeat('x', 400)::bytea
            FROM generate_series(1, 250000) n
            """);
        for (var part = 1; part < Expired / 250_000; part++)
        {
            await server.ExecuteAsync($"""
                INSERT INTO sweep.sessions (key, version, generation, generation_before, expires_before, expires, absolute, writes, payload)
                SELECT md5('{part} ' || n), '\x00000000000000010000000000000001', 0, 0, now(), now() - random() * interval '10 hours' - interval '1 hour', now() - interval '1 hour', '\x00000000000000010000000000000001', repeat('x', 400)::bytea
                FROM generate_series(1, 250000) n
                """);
        }

        await server.ExecuteAsync("CHECKPOINT");
        Console.WriteLine($"PostgreSQL with fsync, {Writers} clients that write and read in turn without pause, rows of 400 bytes, batches of {options.SweepBatch}, {Environment.ProcessorCount} cores for all.\n");
        Console.WriteLine("| | calls/s | p50 µs | p99 µs | longest ms |\n|---|---|---|---|---|");
        await MeasureAsync(store, "warm-up", Task.Delay(Phase / 2));
        await MeasureAsync(store, "a million expired rows, no sweeper", Task.Delay(Phase));
        var watch = Stopwatch.StartNew();
        var sweep = sweeper.SweepAsync(CancellationToken.None);
        await MeasureAsync(store, "while they are removed", sweep);
        watch.Stop();
        await MeasureAsync(store, "afterwards", Task.Delay(Phase));
        var removed = await sweep;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\n{removed:N0} rows were removed in {watch.Elapsed.TotalSeconds:0.0} s, {removed / watch.Elapsed.TotalSeconds:N0} a second."));
    }

    private static async Task MeasureAsync(PostgresSessionStore store, string name, Task until)
    {
        var watch = Stopwatch.StartNew();
        var calls = (await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(() => UseAsync(store, until))))).SelectMany(one => one).Order().ToArray();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {name} | {calls.Length / watch.Elapsed.TotalSeconds:N0} | {calls[calls.Length / 2]:N0} | {calls[calls.Length * 99 / 100]:N0} | {calls[^1] / 1000:N0} |"));
    }

    private static async Task<List<double>> UseAsync(PostgresSessionStore store, Task until)
    {
        var (key, version, payload, calls) = (SessionKey.Of(SessionId.Create()), SessionVersion.None, new byte[400], new List<double>());
        while (!until.IsCompleted)
        {
            var write = new SessionWrite(version, version.Next(), 0, payload, Hour, Hour);
            var began = Stopwatch.GetTimestamp();
            await store.WriteAsync(key, write, CancellationToken.None);
            calls.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            began = Stopwatch.GetTimestamp();
            await store.ReadAsync(key, SessionVersion.None, CancellationToken.None);
            calls.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds);
            version = write.Next;
        }

        return calls;
    }
}
