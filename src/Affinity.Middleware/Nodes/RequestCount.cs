namespace Affinity.Nodes;

/// <summary>How many requests this node is serving and has served. Health requests are not counted. Safe for concurrent use.</summary>
internal sealed class RequestCount
{
    private readonly TaskCompletionSource _earlierLeft = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _earlier;
    private int _later;
    private long _served;
    private volatile bool _isLater;

    public int InFlight => Volatile.Read(ref _earlier) + Volatile.Read(ref _later);

    /// <summary>Of those in flight, how many began before <see cref="WhenEarlierLeftAsync"/> was called; all before that.</summary>
    public int Earlier => Volatile.Read(ref _earlier);

    public long Served => Interlocked.Read(ref _served);

    /// <returns>What to leave with.</returns>
    public bool Enter()
    {
        var isLater = _isLater;
        Interlocked.Increment(ref (isLater ? ref _later : ref _earlier));
        return isLater;
    }

    /// <param name="isLater">What <see cref="Enter"/> has answered.</param>
    public void Leave(bool isLater)
    {
        Interlocked.Increment(ref _served);
        if (isLater)
        {
            Interlocked.Decrement(ref _later);
        }
        else if (Interlocked.Decrement(ref _earlier) == 0 && _isLater)
        {
            _earlierLeft.TrySetResult();
        }
    }

    /// <summary>
    /// Ends when those requests have left that are in flight at the first call. Those that come later are not waited for: under steady traffic there is no moment at which nothing is in flight.
    /// </summary>
    public Task WhenEarlierLeftAsync()
    {
        // With a full fence: a request that leaves from here on sees it, and one that left before is seen by the check.
        _isLater = true;
        Interlocked.MemoryBarrier();
        if (Earlier == 0)
        {
            _earlierLeft.TrySetResult();
        }

        return _earlierLeft.Task;
    }
}
