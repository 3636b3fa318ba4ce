using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A network that loses answers, or is slow and breaks.</summary>
public sealed class BadNetworkTests(ITestOutputHelper output, BadNetworkTests.Nodes nodes) : FaultRows(output), IClassFixture<BadNetworkTests.Nodes>
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis)]
    public Task Answers_are_lost_after_the_command_was_executed() => PlayAsync(Farm, new Scene
    {
        Fault = "replies dropped after execution, 4 times 300 ms",
        LosesNothing = true,
        Strike = async () =>
        {
            for (var i = 0; i < 4; i++)
            {
                Farm.Network.DropReplies = true;
                await Task.Delay(300);
                Farm.Network.DropReplies = false;
                await Task.Delay(700);
            }
        },
    });

    [ServerFact(Needs.Redis)]
    public Task The_network_is_slow_and_breaks() => PlayAsync(Farm, new Scene
    {
        Fault = "200 ms ± 200 ms to Redis and back, 1 % resets, for 5 s",
        LosesNothing = true,
        Strike = async () =>
        {
            (Farm.Network.DelayToServer, Farm.Network.DelayToClient, Farm.Network.Jitter, Farm.Network.ResetShare) = (Tenth, Tenth, Tenth, 0.01);
            await Task.Delay(TimeSpan.FromSeconds(5));
            (Farm.Network.DelayToServer, Farm.Network.DelayToClient, Farm.Network.Jitter, Farm.Network.ResetShare) = (default, default, default, 0);
        },
    });

    /// <summary>Each way, more or less by as much.</summary>
    private static TimeSpan Tenth => TimeSpan.FromMilliseconds(100);

    public sealed class Nodes : FaultFarm;
}
