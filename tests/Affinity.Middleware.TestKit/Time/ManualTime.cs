namespace Affinity.TestKit;

/// <summary>
/// A clock that moves only when a test says so. Timers fire inside <see cref="Advance"/>, on the caller's thread, in the order in
/// which they fall due (armed first fires first at the same instant), and each sees the clock at its own due time.
/// </summary>
/// <remarks>
/// All members may be called concurrently; advances run one after another, and a timer callback may advance, arm and dispose.
/// A timer that is armed or re-armed for an instant that the running advance still reaches fires within it. A due time of zero
/// fires in the next advance, <c>Advance(TimeSpan.Zero)</c> included.
/// </remarks>
public sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly Lock _advancing = new();
    private readonly List<ManualTimer> _armed = [];
    private readonly long _origin;
    private TimeSpan _elapsed;
    private TimeSpan _skew;
    private long _armings;
    private TaskCompletionSource _changed = NewSignal();

    /// <summary>A clock that stands at <paramref name="start"/>, by default at noon of 1 January 2030, UTC.</summary>
    public ManualTime(DateTimeOffset? start = null)
        => _origin = (start ?? new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero)).UtcTicks;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How many timers wait to fire.</summary>
    public int ArmedTimers
    {
        get
        {
            lock (_gate)
            {
                return _armed.Count;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate)
        {
            return new DateTimeOffset(_origin, TimeSpan.Zero) + _elapsed + _skew;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate)
        {
            // Not from zero: no real clock starts there, and code may take zero for "never".
            return _origin + _elapsed.Ticks;
        }
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock forward and fires every timer that falls due on the way, the end included.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (_advancing)
        {
            TimeSpan target;
            lock (_gate)
            {
                target = _elapsed + by;
            }

            while (TakeDue(target) is { } timer)
            {
                timer.Fire();
            }

            lock (_gate)
            {
                // A callback may have advanced further by itself.
                _elapsed = target > _elapsed ? target : _elapsed;
            }
        }
    }

    /// <summary>Sets the wall clock off by <paramref name="by"/>, as an operator or NTP does: timers and timestamps don't notice.</summary>
    public void Skew(TimeSpan by)
    {
        lock (_gate)
        {
            _skew += by;
        }
    }

    /// <summary>Waits, in real time, until at least <paramref name="count"/> timers are armed: the code under test has gone to sleep.</summary>
    /// <exception cref="TimeoutException">That did not happen within <paramref name="deadline"/> (10 s).</exception>
    public async Task WaitForArmedTimersAsync(int count, TimeSpan? deadline = null)
    {
        using var timeout = new CancellationTokenSource(deadline ?? TimeSpan.FromSeconds(10));
        while (true)
        {
            Task changed;
            lock (_gate)
            {
                if (_armed.Count >= count)
                {
                    return;
                }

                changed = _changed.Task;
            }

            try
            {
                await changed.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException($"{ArmedTimers} timers are armed, {count} were waited for.", exception);
            }
        }
    }

    internal bool Arm(ManualTimer timer, TimeSpan dueIn, TimeSpan period)
    {
        lock (_gate)
        {
            if (timer.Disposed)
            {
                return false;
            }

            _armed.Remove(timer);
            timer.Period = period;
            if (dueIn != Timeout.InfiniteTimeSpan)
            {
                Enlist(timer, _elapsed + dueIn);
            }

            return true;
        }
    }

    internal void Disarm(ManualTimer timer)
    {
        lock (_gate)
        {
            timer.Disposed = true;
            _armed.Remove(timer);
        }
    }

    private void Enlist(ManualTimer timer, TimeSpan due)
    {
        timer.Due = due;
        timer.Arming = ++_armings;
        _armed.Add(timer);
        _changed.TrySetResult();
        _changed = NewSignal();
    }

    private ManualTimer? TakeDue(TimeSpan target)
    {
        lock (_gate)
        {
            var next = _armed.MinBy(timer => (timer.Due, timer.Arming));
            if (next is null || next.Due > target)
            {
                return null;
            }

            _armed.Remove(next);
            _elapsed = next.Due > _elapsed ? next.Due : _elapsed;
            if (next.Period > TimeSpan.Zero)
            {
                Enlist(next, next.Due + next.Period);
            }

            return next;
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
