using Affinity.Sessions;
using Microsoft.Extensions.Caching.Distributed;

namespace Affinity.Backends.Distributed;

/// <summary>Calls of a cache that nobody here has written: the token ends each wait, whether or not the cache looks at it, and every fault is a <see cref="SessionStoreException"/>.</summary>
internal sealed class DistributedCacheCalls(IDistributedCache cache)
{
    public Task<byte[]?> GetAsync(string key, SessionStoreFault fault, CancellationToken cancellationToken) =>
        CallAsync(() => cache.GetAsync(key, cancellationToken), fault, cancellationToken);

    public Task RefreshAsync(string key, CancellationToken cancellationToken) =>
        CallAsync(() => TrueAsync(cache.RefreshAsync(key, cancellationToken)), SessionStoreFault.Ambiguous, cancellationToken);

    public Task RemoveAsync(string key, CancellationToken cancellationToken) =>
        CallAsync(() => TrueAsync(cache.RemoveAsync(key, cancellationToken)), SessionStoreFault.Ambiguous, cancellationToken);

    /// <param name="key">Which entry.</param>
    /// <param name="value">What it becomes.</param>
    /// <param name="idle">Gone when nobody has read it for so long; null: only at its end.</param>
    /// <param name="left">Gone after this, however often it is read.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task SetAsync(string key, byte[] value, TimeSpan? idle, TimeSpan left, CancellationToken cancellationToken)
    {
        var options = new DistributedCacheEntryOptions
        {
            AbsoluteExpirationRelativeToNow = WholeSeconds(left),
            SlidingExpiration = idle is { } limit ? WholeSeconds(limit) : null,
        };
        return CallAsync(() => TrueAsync(cache.SetAsync(key, value, options, cancellationToken)), SessionStoreFault.Ambiguous, cancellationToken);
    }

    /// <summary>Upwards: Microsoft's cache over Redis cuts seconds off, and drops at once what has less than one.</summary>
    private static TimeSpan WholeSeconds(TimeSpan duration) => TimeSpan.FromSeconds(Math.Max(1, Math.Ceiling(DistributedSessionRecord.Bounded(duration).TotalSeconds)));

    private static async Task<T> CallAsync<T>(Func<Task<T>> call, SessionStoreFault fault, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await UntilAsync(call(), cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // What a cache says may quote keys, so only its kind is repeated.
            throw new SessionStoreException(fault, $"The distributed cache failed with {exception.GetType().Name}.", exception);
        }
    }

    private static async Task<T> UntilAsync<T>(Task<T> call, CancellationToken cancellationToken)
    {
        try
        {
            return await call.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            // Nobody waits any more: what the call may still fail with must not surface as an unobserved exception.
            _ = call.ContinueWith(
                static abandoned => _ = abandoned.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            throw;
        }
    }

    private static async Task<bool> TrueAsync(Task call)
    {
        await call;
        return true;
    }
}
