using Microsoft.Extensions.Caching.Distributed;
using StackExchange.Redis;

namespace Affinity.TestKit;

/// <summary>
/// Sends what Microsoft.Extensions.Caching.StackExchangeRedis sends, over the same client that Affinity uses, so that a comparison is one of designs: a hash of absexp, sldexp and data; a get is HMGET and
/// EXPIRE, a refresh the same without the data, a set one script. Like some caches, it does not look at its tokens.
/// </summary>
public sealed class RedisCacheCommands(string configuration) : IDistributedCache
{
    private const long None = -1;

    private const string SetScript = """
        redis.call('HSET', KEYS[1], 'absexp', ARGV[1], 'sldexp', ARGV[2], 'data', ARGV[4])
        if ARGV[3] ~= '-1' then redis.call('EXPIRE', KEYS[1], ARGV[3]) end
        return 1
        """;

    private static readonly RedisValue[] Times = ["absexp", "sldexp"];
    private static readonly RedisValue[] TimesAndData = ["absexp", "sldexp", "data"];

    private readonly Task<ConnectionMultiplexer> _connecting = ConnectionMultiplexer.ConnectAsync(configuration);

    /// <inheritdoc/>
    public byte[]? Get(string key) => GetAsync(key).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task<byte[]?> GetAsync(string key, CancellationToken token = default) => await RefreshAsync(key, TimesAndData) is [_, _, var data] ? (byte[]?)data : null;

    /// <inheritdoc/>
    public void Refresh(string key) => RefreshAsync(key).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task RefreshAsync(string key, CancellationToken token = default) => await RefreshAsync(key, Times);

    /// <inheritdoc/>
    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => SetAsync(key, value, options).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var now = DateTimeOffset.UtcNow;
        var absolute = options.AbsoluteExpirationRelativeToNow is { } left ? now + left : options.AbsoluteExpiration;
        var sliding = options.SlidingExpiration;
        var lives = sliding is { } idle && (absolute is null || idle < absolute - now) ? idle : absolute - now;
        await (await DatabaseAsync()).ScriptEvaluateAsync(
            SetScript, [key], [absolute?.Ticks ?? None, sliding?.Ticks ?? None, lives is { } time ? (long)time.TotalSeconds : None, value]);
    }

    /// <inheritdoc/>
    public void Remove(string key) => RemoveAsync(key).GetAwaiter().GetResult();

    /// <inheritdoc/>
    public async Task RemoveAsync(string key, CancellationToken token = default) => await (await DatabaseAsync()).KeyDeleteAsync(key);

    private async Task<RedisValue[]> RefreshAsync(string key, RedisValue[] fields)
    {
        var database = await DatabaseAsync();
        var found = await database.HashGetAsync(key, fields);
        if (found[1].HasValue && (long)found[1] is var sliding && sliding != None)
        {
            var lives = TimeSpan.FromTicks(sliding);
            if ((long)found[0] is var absolute && absolute != None && new DateTimeOffset(absolute, TimeSpan.Zero) - DateTimeOffset.UtcNow is var left && left < lives)
            {
                lives = left;
            }

            await database.KeyExpireAsync(key, lives);
        }

        return found;
    }

    private async ValueTask<IDatabase> DatabaseAsync() => (await _connecting).GetDatabase();
}
