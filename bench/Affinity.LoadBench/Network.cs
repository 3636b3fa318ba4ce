using System.Globalization;
using Affinity.TestKit;

namespace Affinity.LoadBench;

/// <summary>A real redis-server, next door or a stated time away. Commands are counted on the way, so only where there is one.</summary>
internal sealed class Network : IAsyncDisposable
{
    private readonly RedisServer _redis;
    private readonly TcpRelay? _relay;

    private Network(RedisServer redis, TimeSpan delay)
    {
        (_redis, Delay) = (redis, delay);
        if (delay > TimeSpan.Zero)
        {
            _relay = new TcpRelay(redis.Port) { DelayToServer = delay / 2, DelayToClient = delay / 2 };
        }
    }

    /// <summary>There and back.</summary>
    public TimeSpan Delay { get; }

    public string ConnectionString => _relay?.ConnectionString ?? _redis.ConnectionString;

    /// <summary>So far; without a way none are seen.</summary>
    public long Commands => _relay?.CommandCount("EVALSHA", "EVAL", "HMGET", "HGETALL", "EXPIRE", "PEXPIRE") ?? 0;

    public static async Task<Network> StartAsync(TimeSpan delay) => new(await RedisServer.StartAsync(), delay);

    /// <summary>To and from Redis, so far.</summary>
    public async Task<long> BytesAsync() =>
        ((await _redis.CommandAsync("INFO", "stats")).Text ?? "").Split('\n')
            .Where(line => line.StartsWith("total_net_input_bytes:", StringComparison.Ordinal) || line.StartsWith("total_net_output_bytes:", StringComparison.Ordinal))
            .Sum(line => long.Parse(line.Split(':')[1], CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        _relay?.Dispose();
        await _redis.DisposeAsync();
    }
}
