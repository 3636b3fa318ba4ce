using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Connections that break, and a Redis that forgets its scripts.</summary>
public sealed class CutConnectionTests(ITestOutputHelper output, CutConnectionTests.Nodes nodes) : FaultRows(output), IClassFixture<CutConnectionTests.Nodes>
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis)]
    public Task Clients_are_killed_every_100_ms() => PlayAsync(Farm, new Scene
    {
        Fault = "CLIENT KILL every 100 ms for 3 s",
        LosesNothing = true,
        Strike = () => RepeatAsync(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(100), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"),
    });

    [ServerFact(Needs.Redis)]
    public Task The_subscription_alone_is_dead() => PlayAsync(Farm, new Scene
    {
        Fault = "publish/subscribe connections killed alone for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = () => RepeatAsync(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(20), "CLIENT", "KILL", "TYPE", "pubsub"),
    });

    [ServerFact(Needs.Redis)]
    public Task Scripts_are_flushed_in_a_loop() => PlayAsync(Farm, new Scene
    {
        Fault = "SCRIPT FLUSH every 20 ms for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = () => RepeatAsync(TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(20), "SCRIPT", "FLUSH"),
    });

    private async Task RepeatAsync(TimeSpan time, TimeSpan pause, params string[] command)
    {
        using var end = new CancellationTokenSource(time);
        using var client = await RespClient.ConnectAsync(Farm.Redis.Port, CancellationToken.None);
        while (!end.IsCancellationRequested)
        {
            await client.CommandAsync(command, CancellationToken.None);
            await Task.Delay(pause, CancellationToken.None);
        }
    }

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => Patient;
    }
}
