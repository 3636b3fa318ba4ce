using System.Globalization;

namespace Affinity.LoadBench;

/// <summary>Affinity with each store side by side, and the framework's session over the same Redis. Each store twice: visitors who stay on their node, and visitors whom the node does not remember.</summary>
internal sealed class Stores(TextWriter output, int rounds, TimeSpan duration, int bytes, bool quick)
{
    private static readonly string[] Names = ["cookie", "redis", "postgres", "redis-over-postgres", "distributed"];

    private bool _hasErrors;

    /// <summary>Whether there was no error.</summary>
    public async Task<bool> RunAsync()
    {
        output.WriteLine(Machine.Describe());
        output.WriteLine();
        output.WriteLine(Text($"{rounds} round(s) of {duration.TotalSeconds:0} s each, interleaved; medians. Sessions of {bytes:N0} bytes, 256 visitors in turn. PostgreSQL waits for its disk (fsync), Redis writes none."));
        output.WriteLine("\"Not remembered\": with `NearCache:Enabled` = `false`, as when every request comes to another node.");
        output.WriteLine();
        output.WriteLine("| setting | store | requests/s | p50 µs | p99 µs | app CPU µs/request | Redis trips | PostgreSQL trips | Redis CPU µs/request | PostgreSQL CPU µs/request |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var delay in (TimeSpan[])[TimeSpan.Zero, TimeSpan.FromMilliseconds(1)])
        {
            await PlayAsync(delay, isRemembered: true);
            await PlayAsync(delay, isRemembered: false);
        }

        return !_hasErrors;
    }

    private async Task PlayAsync(TimeSpan delay, bool isRemembered)
    {
        await using var network = await Network.StartAsync(delay, withDatabase: true);
        var contenders = new List<Contender>();
        try
        {
            foreach (var name in Names.Where(name => isRemembered || name is not "cookie"))
            {
                contenders.Add(await Contender.StartAsync(name, network, bytes, [.. Settings(name, network), ("Affinity:Sessions:NearCache:Enabled", isRemembered ? "true" : "false")]));
            }

            if (!isRemembered)
            {
                contenders.Add(await Contender.StartAsync("framework", network, bytes));
            }

            string[] operations = isRemembered ? ["untouched", "read", "write"] : ["read", "write"];
            foreach (var contender in contenders)
            {
                foreach (var operation in operations)
                {
                    await contender.MeasureAsync(new Setting(operation, 32, delay), TimeSpan.FromSeconds(quick ? 1 : 5));
                }
            }

            foreach (var connections in (int[])[1, 32])
            {
                foreach (var operation in operations)
                {
                    Add(new Setting(operation, connections, delay), isRemembered, await Rounds.PlayAsync(contenders, new Setting(operation, connections, delay), rounds, duration));
                }
            }

            foreach (var contender in contenders.Where(contender => contender.Name is not "cookie"))
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

    private static (string Key, string? Value)[] Settings(string store, Network network) => store switch
    {
        "cookie" => [("Affinity:Sessions:Carrier", "Cookie"), ("Affinity:Store", "Memory"), ("Affinity:KeyDirectory", Path.Combine(Path.GetTempPath(), "affinity-bench-keys-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))],
        "redis" => [("Affinity:Store", "Redis")],
        "postgres" => [("Affinity:Store", "Postgres"), ("ConnectionStrings:affinity-db", network.DatabaseConnectionString)],
        "redis-over-postgres" => [("Affinity:Store", "RedisOverPostgres"), ("ConnectionStrings:affinity-db", network.DatabaseConnectionString), ("Affinity:Postgres:SchemaName", "cached")],
        _ => [("Affinity:Store", "Distributed")],
    };

    private void Add(Setting setting, bool isRemembered, Dictionary<string, Sample> samples)
    {
        foreach (var (name, sample) in samples)
        {
            _hasErrors |= sample.Errors > 0;
            output.WriteLine(Text(
                $"| {setting}{(isRemembered ? "" : ", not remembered")} | {name} | {sample.PerSecond:N0} | {sample.P50:N0} | {sample.P99:N0} | {sample.Cpu:0.0} | {Trips(setting, sample.Commands)} | {Trips(setting, sample.DatabaseTrips)} | {sample.RedisCpu:0.0} | {sample.DatabaseCpu:0.0} |{(sample.Errors > 0 ? $" {sample.Errors} errors" : "")}"));
        }

        output.Flush();
    }

    private static string Trips(Setting setting, double trips) => setting.Delay > TimeSpan.Zero ? Text($"{trips:0.00}") : "–";

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
