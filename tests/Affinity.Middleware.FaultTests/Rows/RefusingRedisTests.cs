using System.Globalization;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A Redis that answers, and refuses.</summary>
public sealed class RefusingRedisTests(ITestOutputHelper output, RefusingRedisTests.Nodes nodes) : FaultRows(output), IClassFixture<RefusingRedisTests.Nodes>
{
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(3);

    private RedisServer Redis => nodes.Farm.Redis;

    [ServerFact(Needs.Redis)]
    public Task Redis_is_read_only() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "READONLY for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = async () =>
        {
            // A replica of a primary that is not there keeps what it has.
            await Redis.CommandAsync("REPLICAOF", "127.0.0.1", LoopbackPort.Next().ToString(CultureInfo.InvariantCulture));
            await Task.Delay(Lasts);
            await Redis.CommandAsync("REPLICAOF", "NO", "ONE");
        },
    });

    [ServerFact(Needs.Redis)]
    public Task Redis_is_out_of_memory() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "out of memory (noeviction) for 3 s",
        LosesNothing = true,
        FailsNothing = true,
        Strike = async () =>
        {
            await Redis.CommandAsync("CONFIG", "SET", "maxmemory", "1");
            await Task.Delay(Lasts);
            await Redis.CommandAsync("CONFIG", "SET", "maxmemory", "0");
        },
    });

    public sealed class Nodes : FaultFarm;
}
