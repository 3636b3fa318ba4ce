using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class RequestCountTests
{
    [Fact]
    public void Waiting_ends_at_once_when_nothing_is_in_flight() =>
        Assert.True(new RequestCount().WhenIdleAsync().IsCompletedSuccessfully);

    [Fact]
    public async Task Waiting_ends_when_the_last_request_leaves()
    {
        var count = new RequestCount();
        count.Enter();
        count.Enter();
        var idle = count.WhenIdleAsync();
        count.Leave();
        Assert.False(idle.IsCompleted);
        count.Leave();
        await idle;
        Assert.Equal((0, 2), (count.InFlight, count.Served));
    }

    [Fact]
    public async Task No_request_is_missed_when_many_leave_while_the_wait_begins()
    {
        for (var round = 0; round < 500; round++)
        {
            var count = new RequestCount();
            count.Enter();
            var leaving = Task.Run(count.Leave);
            await count.WhenIdleAsync().WaitAsync(TimeSpan.FromSeconds(10));
            await leaving;
        }
    }
}
