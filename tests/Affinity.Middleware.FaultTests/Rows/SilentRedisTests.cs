using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A Redis that does not answer for a while and has lost nothing when it does.</summary>
public sealed class SilentRedisTests(ITestOutputHelper output, SilentRedisTests.Nodes nodes) : FaultRows(output), IClassFixture<SilentRedisTests.Nodes>
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis)]
    public Task Redis_is_stopped_for_eight_seconds() => PlayAsync(Farm, new Scene
    {
        Fault = "Redis SIGSTOP for 8 s",
        Sticky = true,
        LosesNothing = true,
        FailsNothing = true,
        P99Bound = TimeSpan.FromSeconds(1.5),
        Strike = async () =>
        {
            Farm.Redis.Freeze();
            await Task.Delay(TimeSpan.FromSeconds(8));
            Farm.Redis.Thaw();
        },
    });

    [ServerFact(Needs.Redis)]
    public Task Clients_are_paused_for_three_seconds() => PlayAsync(Farm, new Scene
    {
        Fault = "CLIENT PAUSE for 3 s",
        Sticky = true,
        LosesNothing = true,
        FailsNothing = true,
        Strike = async () =>
        {
            await Farm.Redis.CommandAsync("CLIENT", "PAUSE", "3000", "ALL");
            await Task.Delay(TimeSpan.FromSeconds(3));
        },
    });

    public sealed class Nodes : FaultFarm;
}
