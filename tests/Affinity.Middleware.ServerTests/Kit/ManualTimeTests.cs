using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class ManualTimeTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTime _time = new();

    [Fact]
    public void Timers_fire_in_the_order_of_their_due_times_and_see_the_clock_at_theirs()
    {
        var start = _time.GetUtcNow();
        var seen = new List<(string, TimeSpan)>();
        using var late = Timer(3 * Second, Timeout.InfiniteTimeSpan, () => seen.Add(("late", _time.GetUtcNow() - start)));
        using var first = Timer(Second, Timeout.InfiniteTimeSpan, () => seen.Add(("first", _time.GetUtcNow() - start)));
        using var second = Timer(Second, Timeout.InfiniteTimeSpan, () => seen.Add(("second", _time.GetUtcNow() - start)));
        using var never = Timer(4 * Second, Timeout.InfiniteTimeSpan, () => seen.Add(("never", default)));

        _time.Advance(3 * Second);

        Assert.Equal([("first", Second), ("second", Second), ("late", 3 * Second)], seen);
        Assert.Equal(start + (3 * Second), _time.GetUtcNow());
        Assert.Equal(1, _time.ArmedTimers);
    }

    [Fact]
    public void A_callback_that_re_arms_fires_again_within_the_same_advance()
    {
        var fired = 0;
        ITimer? timer = null;
        timer = Timer(Second, Timeout.InfiniteTimeSpan, () =>
        {
            fired++;
            timer!.Change(2 * Second, Timeout.InfiniteTimeSpan);
        });

        _time.Advance(6 * Second);

        // At 1, 3 and 5 seconds.
        Assert.Equal(3, fired);
        timer.Dispose();
    }

    [Fact]
    public void A_periodic_timer_fires_once_per_period_until_it_is_disposed()
    {
        var fired = 0;
        var timer = Timer(Second, Second, () => fired++);
        _time.Advance(10 * Second);
        timer.Dispose();
        _time.Advance(10 * Second);

        Assert.Equal(10, fired);
        Assert.False(timer.Change(Second, Second));
        Assert.Equal(0, _time.ArmedTimers);
    }

    [Fact]
    public async Task Delays_time_limits_and_cancellations_of_the_framework_follow_the_clock()
    {
        var delay = Task.Delay(5 * Second, _time);
        using var cancellation = new CancellationTokenSource(6 * Second, _time);
        var limited = new TaskCompletionSource().Task.WaitAsync(7 * Second, _time);

        _time.Advance(5 * Second);
        await delay;
        Assert.False(cancellation.IsCancellationRequested);

        _time.Advance(Second);
        Assert.True(cancellation.IsCancellationRequested);
        Assert.False(limited.IsCompleted);

        _time.Advance(Second);
        await Assert.ThrowsAsync<TimeoutException>(() => limited);
    }

    [Fact]
    public void A_skewed_wall_clock_leaves_timestamps_and_timers_alone()
    {
        var (now, stamp) = (_time.GetUtcNow(), _time.GetTimestamp());
        var fired = false;
        using var timer = Timer(Second, Timeout.InfiniteTimeSpan, () => fired = true);

        _time.Skew(TimeSpan.FromHours(-1));

        Assert.Equal(now.AddHours(-1), _time.GetUtcNow());
        Assert.Equal(TimeSpan.Zero, _time.GetElapsedTime(stamp));
        Assert.False(fired);
        _time.Advance(Second);
        Assert.True(fired);
        Assert.Equal(Second, _time.GetElapsedTime(stamp));
    }

    [Fact]
    public async Task A_test_can_wait_until_the_code_sleeps()
    {
        var sleeper = Task.Run(() => Task.Delay(Second, _time));
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(Second);
        await sleeper;
        await Assert.ThrowsAsync<TimeoutException>(() => _time.WaitForArmedTimersAsync(1, TimeSpan.FromMilliseconds(20)));
    }

    [Fact]
    public async Task Concurrent_advances_add_up()
    {
        var start = _time.GetUtcNow();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                _time.Advance(Second);
            }
        })));
        Assert.Equal(start + (800 * Second), _time.GetUtcNow());
    }

    private ITimer Timer(TimeSpan due, TimeSpan period, Action action) => _time.CreateTimer(_ => action(), null, due, period);
}
