using System.Globalization;
using Affinity.TestKit;
using Npgsql;

namespace Affinity.LoadBench;

/// <summary>A real redis-server, and a PostgreSQL where one is asked for, next door or a stated time away. Commands are counted on the way, so only where there is one.</summary>
internal sealed class Network : IAsyncDisposable
{
    private readonly RedisServer _redis;
    private readonly PostgresServer? _postgres;
    private readonly TcpRelay? _relay;
    private readonly TcpRelay? _databaseRelay;

    private Network(RedisServer redis, PostgresServer? postgres, TimeSpan delay)
    {
        (_redis, _postgres, Delay) = (redis, postgres, delay);
        if (delay > TimeSpan.Zero)
        {
            _relay = Between(redis.Port);
            _databaseRelay = postgres is null ? null : Between(postgres.Port);
        }

        TcpRelay Between(int port) => new(port) { DelayToServer = delay / 2, DelayToClient = delay / 2 };
    }

    /// <summary>There and back.</summary>
    public TimeSpan Delay { get; }

    public string ConnectionString => _relay?.ConnectionString ?? _redis.ConnectionString;

    /// <summary>The database, as Npgsql takes it.</summary>
    public string DatabaseConnectionString => new NpgsqlConnectionStringBuilder(_postgres!.ConnectionString) { Port = _databaseRelay?.Port ?? _postgres.Port }.ConnectionString;

    /// <summary>Round trips to the database so far; without a way none are seen.</summary>
    public long DatabaseTrips => _databaseRelay?.CommandCount("SYNC", "QUERY") ?? 0;

    /// <summary>Microseconds of processor time of the database's processes that run now.</summary>
    public double DatabaseCpu() => _postgres?.ProcessorTime().TotalMicroseconds ?? 0;

    /// <summary>So far; without a way none are seen.</summary>
    public long Commands => _relay?.CommandCount("EVALSHA", "EVAL", "HMGET", "HGETALL", "EXPIRE", "PEXPIRE") ?? 0;

    /// <summary>Scripts run so far: every trip that Affinity makes on the path of a request is one.</summary>
    public async Task<long> ScriptsAsync() => (long)(await InfoAsync("commandstats")).Where(pair => pair.Key is "cmdstat_evalsha" or "cmdstat_eval")
        .Sum(pair => Number(pair.Value.Split(',')[0].Split('=')[1]));

    /// <summary>Microseconds of redis-server's processor time so far.</summary>
    public async Task<double> CpuAsync() => (await InfoAsync("cpu")).Where(pair => pair.Key is "used_cpu_sys" or "used_cpu_user").Sum(pair => Number(pair.Value)) * 1e6;

    /// <param name="delay">There and back.</param>
    /// <param name="withDatabase">Whether there is a PostgreSQL too, which waits for its disk as a deployed one does.</param>
    public static async Task<Network> StartAsync(TimeSpan delay, bool withDatabase = false) =>
        new(await RedisServer.StartAsync(), withDatabase ? await PostgresServer.StartAsync(new PostgresServerOptions { Durable = true }) : null, delay);

    /// <summary>To and from Redis, so far.</summary>
    public async Task<long> BytesAsync() => (long)(await InfoAsync("stats")).Where(pair => pair.Key is "total_net_input_bytes" or "total_net_output_bytes").Sum(pair => Number(pair.Value));

    public async ValueTask DisposeAsync()
    {
        _relay?.Dispose();
        _databaseRelay?.Dispose();
        await _redis.DisposeAsync();
        if (_postgres is not null)
        {
            await _postgres.DisposeAsync();
        }
    }

    private async Task<IEnumerable<KeyValuePair<string, string>>> InfoAsync(string section) =>
        ((await _redis.CommandAsync("INFO", section)).Text ?? "").Split("\r\n").Where(line => line.Contains(':')).Select(line => KeyValuePair.Create(line.Split(':')[0], line.Split(':')[1]));

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
