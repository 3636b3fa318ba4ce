using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class RequestCountTests
{
    [Fact]
    public void Waiting_ends_at_once_when_nothing_is_in_flight() =>
        Assert.True(new RequestCount().WhenEarlierLeftAsync().IsCompletedSuccessfully);

    [Fact]
    public async Task Waiting_ends_when_the_last_request_leaves()
    {
        var count = new RequestCount();
        var (one, other) = (count.Enter(), count.Enter());
        var left = count.WhenEarlierLeftAsync();
        count.Leave(one);
        Assert.False(left.IsCompleted);
        count.Leave(other);
        await left;
        Assert.Equal((0, 2), (count.InFlight, count.Served));
    }

    /// <summary>Under steady traffic there is always one in flight: a drain waited for its whole time limit.</summary>
    [Fact]
    public async Task Requests_that_come_later_are_counted_and_not_waited_for()
    {
        var count = new RequestCount();
        var early = count.Enter();
        var left = count.WhenEarlierLeftAsync();
        var late = count.Enter();
        Assert.Equal((2, 1), (count.InFlight, count.Earlier));
        count.Leave(early);
        await left;
        Assert.Equal((1, 0), (count.InFlight, count.Earlier));
        count.Leave(late);
        Assert.Equal((0, 2), (count.InFlight, count.Served));
    }

    [Fact]
    public void A_moment_of_rest_before_the_wait_does_not_end_it()
    {
        var count = new RequestCount();
        count.Leave(count.Enter());
        count.Enter();
        Assert.False(count.WhenEarlierLeftAsync().IsCompleted);
    }

    [Fact]
    public async Task No_request_is_missed_when_many_leave_while_the_wait_begins()
    {
        for (var round = 0; round < 500; round++)
        {
            var count = new RequestCount();
            var entered = count.Enter();
            var leaving = Task.Run(() => count.Leave(entered));
            await count.WhenEarlierLeftAsync().WaitAsync(TimeSpan.FromSeconds(10));
            await leaving;
        }
    }
}
