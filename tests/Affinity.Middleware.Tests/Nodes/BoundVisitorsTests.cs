using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class BoundVisitorsTests
{
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(20);

    private readonly ManualTime _time = new();
    private readonly BoundVisitors _bound;

    public BoundVisitorsTests() => _bound = new BoundVisitors(Window, _time);

    [Fact]
    public void A_visitor_counts_once_however_often_they_come()
    {
        _bound.Stays(7);
        _bound.Stays(7);
        _bound.Stays(8);
        Assert.Equal(2, _bound.Count);
    }

    [Fact]
    public void Who_leaves_counts_no_more_and_may_leave_twice()
    {
        _bound.Stays(7);
        _bound.Leaves(7);
        _bound.Leaves(7);
        Assert.Equal(0, _bound.Count);
    }

    [Fact]
    public void Who_makes_no_request_for_the_window_counts_no_more()
    {
        _bound.Stays(7);
        _time.Advance(Window - TimeSpan.FromTicks(1));
        _bound.Stays(8);
        _bound.Sweep();
        Assert.Equal(2, _bound.Count);
        _time.Advance(TimeSpan.FromTicks(1));
        _bound.Sweep();
        Assert.Equal(1, _bound.Count);
    }

    [Theory]
    [InlineData(16_384, 0)]
    [InlineData(100_000, 0.03)]
    [InlineData(1_000_000, 0.03)]
    public void A_great_many_are_counted_by_a_sample(int visitors, double tolerance)
    {
        var random = new Random(20261121);
        var different = new HashSet<uint>();
        while (different.Count < visitors)
        {
            different.Add((uint)random.NextInt64(1L << 32));
        }

        foreach (var visitor in different)
        {
            _bound.Stays(visitor);
        }

        Assert.InRange(_bound.Count, visitors * (1 - tolerance), visitors * (1 + tolerance));
    }

    [Fact]
    public void A_quiet_farm_is_counted_exactly_again()
    {
        for (var visitor = 0u; visitor < 3 * BoundVisitors.Capacity; visitor++)
        {
            _bound.Stays(visitor);
        }

        _time.Advance(Window);
        _bound.Sweep();
        _bound.Stays(1);
        Assert.Equal(1, _bound.Count);
    }

    [Fact]
    public async Task Requests_that_come_at_the_same_time_are_counted_right()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(() =>
        {
            for (var visitor = 0u; visitor < 10_000; visitor++)
            {
                _bound.Stays(visitor);
                if (visitor % 2 == 1 && worker == 3)
                {
                    _bound.Leaves(visitor + 1_000_000);
                }
            }
        })));
        Assert.Equal(10_000, _bound.Count);
    }

    /// <summary>Who came while they left was put back uncounted, and leaving once more took one off the count for ever, down to below zero.</summary>
    [Fact]
    public async Task A_visitor_who_comes_and_leaves_at_the_same_time_leaves_the_count_right()
    {
        var workers = Enumerable.Range(0, 4).Select(worker => Task.Factory.StartNew(
            () =>
            {
                for (var i = 0u; i < 200_000; i++)
                {
                    if (worker % 2 == 0)
                    {
                        _bound.Stays(i % 3);
                    }
                    else
                    {
                        _bound.Leaves(i % 3);
                    }
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default));
        await Task.WhenAll(workers);
        for (var visitor = 0u; visitor < 3; visitor++)
        {
            _bound.Leaves(visitor);
        }

        Assert.Equal(0, _bound.Count);
    }
}
