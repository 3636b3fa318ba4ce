namespace Affinity.TestKit;

/// <summary>One timer of a <see cref="ManualTime"/>. Like the framework's, it runs in the execution context that created it.</summary>
internal sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
{
    private readonly ExecutionContext? _context = ExecutionContext.Capture();
    private volatile bool _disposed;

    public bool Disposed { get => _disposed; set => _disposed = value; }

    public TimeSpan Due { get; set; }

    public TimeSpan Period { get; set; }

    /// <summary>Breaks the tie between timers that fall due at the same instant.</summary>
    public long Arming { get; set; }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dueTime, Timeout.InfiniteTimeSpan);
        ArgumentOutOfRangeException.ThrowIfLessThan(period, Timeout.InfiniteTimeSpan);
        return time.Arm(this, dueTime, period);
    }

    public void Fire()
    {
        if (_disposed)
        {
            return;
        }

        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, static timer => ((ManualTimer)timer!).Invoke(), this);
        }
    }

    public void Dispose() => time.Disarm(this);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private void Invoke() => callback(state);
}
