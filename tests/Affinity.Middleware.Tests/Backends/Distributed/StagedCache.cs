using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Internal;
using Microsoft.Extensions.Options;

namespace Affinity.Tests.Backends.Distributed;

/// <summary>A cache in memory on the test's clock, with a place before and after each call where a test puts what happens meanwhile.</summary>
internal sealed class StagedCache(TimeProvider time) : IDistributedCache
{
    private readonly MemoryDistributedCache _inner = new(Options.Create(new MemoryDistributedCacheOptions { Clock = new CacheClock(time) }));

    /// <summary>Called with the key before a set lands.</summary>
    public Func<string, Task>? BeforeSet { get; set; }

    /// <summary>Called with the key after a set has landed.</summary>
    public Func<string, Task>? AfterSet { get; set; }

    /// <summary>Answers in place of the cache, unless it answers null.</summary>
    public Func<string, Task<byte[]?>?>? InsteadOfGet { get; set; }

    /// <summary>Whether sets are taken and forgotten.</summary>
    public bool KeepsNothing { get; set; }

    public byte[]? Get(string key) => throw new NotSupportedException();

    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => InsteadOfGet?.Invoke(key) ?? _inner.GetAsync(key, token);

    public void Refresh(string key) => throw new NotSupportedException();

    public Task RefreshAsync(string key, CancellationToken token = default) => _inner.RefreshAsync(key, token);

    public void Remove(string key) => throw new NotSupportedException();

    public Task RemoveAsync(string key, CancellationToken token = default) => _inner.RemoveAsync(key, token);

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => throw new NotSupportedException();

    public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        if (BeforeSet is { } before)
        {
            await before(key);
        }

        if (!KeepsNothing)
        {
            await _inner.SetAsync(key, value, options, token);
        }

        if (AfterSet is { } after)
        {
            await after(key);
        }
    }

    private sealed class CacheClock(TimeProvider time) : ISystemClock
    {
        public DateTimeOffset UtcNow => time.GetUtcNow();
    }
}
