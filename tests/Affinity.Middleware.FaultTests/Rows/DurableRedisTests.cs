using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A Redis with an append-only file dies and comes again.</summary>
public sealed class DurableRedisTests(ITestOutputHelper output, DurableRedisTests.Nodes nodes) : FaultRows(output), IClassFixture<DurableRedisTests.Nodes>
{
    /// <summary>What a key costs when Redis loads its file; there are none at the first start.</summary>
    private const string MicrosecondsPerKey = "1000";
    private const string Keys = "2000";

    private RedisServer Redis => nodes.Farm.Redis;

    [ServerTheory(Needs.Redis)]
    [InlineData("always")]
    [InlineData("everysec")]
    public async Task Redis_is_killed_and_comes_again_with_its_file(string fsync)
    {
        await Redis.CommandAsync("CONFIG", "SET", "appendfsync", fsync);
        await PlayAsync(nodes.Farm, new Scene
        {
            Fault = $"kill -9 and restart after 1 s, AOF {fsync}",
            LosesNothing = true,
            Sticky = true,
            FailsNothing = true,
            Strike = () => DieForASecondAsync(Redis),
        });
    }

    [ServerFact(Needs.Redis)]
    public async Task Redis_takes_its_time_to_load_its_file()
    {
        await Redis.CommandAsync("DEBUG", "POPULATE", Keys, "filler", "16");
        await Redis.CommandAsync("BGREWRITEAOF");
        await PlayAsync(nodes.Farm, new Scene
        {
            Fault = "kill -9 and restart, LOADING for 2 to 3 s",
            LosesNothing = true,
            Sticky = true,
            FailsNothing = true,
            Strike = async () =>
            {
                Redis.Kill();
                var restart = Redis.RestartAsync();
                var refusal = await RefusalAsync();
                await restart;
                Assert.StartsWith("LOADING", refusal, StringComparison.Ordinal);
            },
        });
        await Redis.CommandAsync("FLUSHALL");
        await Redis.CommandAsync("BGREWRITEAOF");
    }

    /// <summary>How Redis refuses while it loads.</summary>
    private async Task<string> RefusalAsync()
    {
        for (var tries = 0; tries < 200; tries++)
        {
            try
            {
                await Redis.CommandAsync("GET", "x");
                return "It loaded before it was asked.";
            }
            catch (RespException refused)
            {
                return refused.Message;
            }
            catch (Exception exception) when (exception is System.Net.Sockets.SocketException or IOException)
            {
                await Task.Delay(10);
            }
        }

        return "It did not come.";
    }

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new()
        {
            Redis = new RedisServerOptions { AppendOnly = true, ExtraArguments = ["--key-load-delay", MicrosecondsPerKey, "--loading-process-events-interval-bytes", "1024"] },
        };
    }
}
