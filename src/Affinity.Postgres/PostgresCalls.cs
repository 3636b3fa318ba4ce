namespace Affinity.Backends.Postgres;

/// <summary>How a call of the client is awaited.</summary>
internal static class PostgresCalls
{
    /// <summary>A hundred years.</summary>
    public const long LongestMilliseconds = 100L * 365 * 24 * 60 * 60 * 1000;

    /// <summary>
    /// Waits until the token ends the wait. The client itself is not given the token: it would send a cancel request and block whoever cancels until the server has taken it, which one that is stopped does not. The call goes on behind and ends by
    /// the client's own time limit.
    /// </summary>
    public static async Task<T> UntilAsync<T>(this Task<T> call, CancellationToken cancellationToken)
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

    /// <summary>Whole milliseconds, at least one, at most a hundred years, which a date of PostgreSQL can hold.</summary>
    public static long ToMilliseconds(TimeSpan duration) => Math.Clamp((long)Math.Ceiling(duration.TotalMilliseconds), 1, LongestMilliseconds);
}
