namespace Affinity.Nodes;

/// <summary>How many requests this node is serving and has served. Health requests are not counted. Safe for concurrent use.</summary>
internal sealed class RequestCount
{
    private int _inFlight;
    private long _served;
    private TaskCompletionSource? _idle;

    public int InFlight => Volatile.Read(ref _inFlight);

    public long Served => Interlocked.Read(ref _served);

    public void Enter() => Interlocked.Increment(ref _inFlight);

    public void Leave()
    {
        Interlocked.Increment(ref _served);
        if (Interlocked.Decrement(ref _inFlight) == 0)
        {
            Volatile.Read(ref _idle)?.TrySetResult();
        }
    }

    /// <summary>Ends at the first moment from now on at which no request is in flight. For one waiter: a later call takes the place of an earlier one.</summary>
    public Task WhenIdleAsync()
    {
        var idle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

        // A full fence: a request that leaves from here on sees the waiter, and one that left before is seen by the check.
        Interlocked.Exchange(ref _idle, idle);
        if (InFlight == 0)
        {
            idle.TrySetResult();
        }

        return idle.Task;
    }
}
