namespace Affinity.Backends.Redis;

/// <summary>How a call of the client is awaited.</summary>
internal static class RedisCalls
{
    /// <summary>A hundred years.</summary>
    public const long LongestMilliseconds = 100L * 365 * 24 * 60 * 60 * 1000;

    /// <summary>Waits for the answer until the token ends the wait: the client itself never gives up on a server that is silent.</summary>
    public static async Task<T> UntilAsync<T>(this Task<T> call, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            // Nobody waits any more: what the call may still fail with must not surface as an unobserved exception.
            _ = call.ContinueWith(
                static abandoned => _ = abandoned.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            throw;
        }
        finally
        {
            // The client completes its calls one after another on one worker. Without leaving it, an app that blocks there would stall every other call.
            await Task.Yield();
        }

        return await call;
    }

    /// <summary>A duration for PEXPIRE: whole milliseconds, at least one, at most a hundred years, beyond which a server's own arithmetic overflows.</summary>
    public static long ToMilliseconds(TimeSpan duration) => Math.Clamp((long)Math.Ceiling(duration.TotalMilliseconds), 1, LongestMilliseconds);
}
