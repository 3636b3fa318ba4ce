using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Affinity.BenchApp;

/// <summary>
/// Sends what Microsoft.Extensions.Caching.StackExchangeRedis sends, over the same client that Affinity uses, so that the comparison is one of designs: a hash of absexp, sldexp and data; a get is HMGET and
/// EXPIRE, a refresh the same without the data, a set one script.
/// </summary>
internal sealed class RedisCacheCommands(string configuration) : IDistributedCache
{
    private const string SetScript = """
        redis.call('HSET', KEYS[1], 'absexp', ARGV[1], 'sldexp', ARGV[2], 'data', ARGV[4])
        if ARGV[3] ~= '-1' then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
        return 1
        """;

    private static readonly RedisValue[] Times = ["absexp", "sldexp"];
    private static readonly RedisValue[] TimesAndData = ["absexp", "sldexp", "data"];

    private readonly Task<ConnectionMultiplexer> _connecting = ConnectionMultiplexer.ConnectAsync(configuration);

    public byte[]? Get(string key) => GetAsync(key).GetAwaiter().GetResult();

    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default) => await RefreshAsync(key, TimesAndData) is [_, _, var data] ? (byte[]?)data : null;

    public void Refresh(string key) => RefreshAsync(key).GetAwaiter().GetResult();

    public async Task RefreshAsync(string key, CancellationToken token = default) => await RefreshAsync(key, Times);

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => SetAsync(key, value, options).GetAwaiter().GetResult();

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        var sliding = options.SlidingExpiration!.Value;
        await (await DatabaseAsync()).ScriptEvaluateAsync(SetScript, [key], [-1, sliding.Ticks, (long)sliding.TotalSeconds, value]);
    }

    public void Remove(string key) => RemoveAsync(key).GetAwaiter().GetResult();

    public async Task RemoveAsync(string key, CancellationToken token = default) => await (await DatabaseAsync()).KeyDeleteAsync(key);

    private async Task<RedisValue[]> RefreshAsync(string key, RedisValue[] fields)
    {
        var database = await DatabaseAsync();
        var found = await database.HashGetAsync(key, fields);
        if (found[1].HasValue)
        {
            await database.KeyExpireAsync(key, TimeSpan.FromTicks((long)found[1]));
        }

        return found;
    }

    private async ValueTask<IDatabase> DatabaseAsync() => (await _connecting).GetDatabase();
}
