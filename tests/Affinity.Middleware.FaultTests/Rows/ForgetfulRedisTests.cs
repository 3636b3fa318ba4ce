using System.Globalization;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>A Redis that loses what it has acknowledged.</summary>
public sealed class ForgetfulRedisTests(ITestOutputHelper output, ForgetfulRedisTests.Nodes nodes) : FaultRows(output), IClassFixture<ForgetfulRedisTests.Nodes>
{
    private RedisServer Redis => nodes.Farm.Redis;

    [ServerFact(Needs.Redis)]
    public async Task Everything_is_flushed()
    {
        var signedIn = new Visitor();
        (await signedIn.GetAsync(nodes.Farm[0], "signin?name=somebody")).EnsureSuccessStatusCode();
        await PlayAsync(nodes.Farm, new Scene
        {
            Fault = "FLUSHALL",
            Sticky = true,
            LosesNothing = true,
            FailsNothing = true,
            Strike = () => Redis.CommandAsync("FLUSHALL"),
        });
        foreach (var node in nodes.Farm.Nodes)
        {
            Assert.Equal("somebody", await signedIn.GetStringAsync(node.BaseAddress, "whoami"));
        }

        for (var tries = 0; tries < 100 && (await Redis.CommandAsync("LLEN", "DataProtection-Keys")).Text == "0"; tries++)
        {
            await Task.Delay(100);
        }

        Assert.NotEqual("0", (await Redis.CommandAsync("LLEN", "DataProtection-Keys")).Text);
    }

    [ServerFact(Needs.Redis)]
    public Task Everything_is_flushed_while_visitors_wander() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "FLUSHALL, every request at another node",
        Strike = () => Redis.CommandAsync("FLUSHALL"),
    });

    [ServerFact(Needs.Redis)]
    public Task Redis_is_killed_and_comes_again_empty() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "kill -9 and restart after 1 s, no persistence",
        Strike = () => DieForASecondAsync(Redis),
    });

    [ServerFact(Needs.Redis)]
    public async Task Sessions_are_evicted()
    {
        await PlayAsync(nodes.Farm, new Scene
        {
            Fault = "eviction (allkeys-lru, room for a few keys) for 3 s",
            Strike = EvictAsync,
            // An ending is a key like any other.
            EndsSessions = false,
        });
    }

    /// <summary>Other keys come in one after another and push out what was not used just now.</summary>
    private async Task EvictAsync()
    {
        await Redis.CommandAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        var used = (await Redis.CommandAsync("INFO", "memory")).Text!.Split('\n').Single(line => line.StartsWith("used_memory:", StringComparison.Ordinal));
        await Redis.CommandAsync("CONFIG", "SET", "maxmemory", (long.Parse(used.Split(':')[1].Trim(), CultureInfo.InvariantCulture) + 200_000).ToString(CultureInfo.InvariantCulture));
        using var end = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        using var client = await RespClient.ConnectAsync(Redis.Port, CancellationToken.None);
        var filler = new string('x', 20_000);
        for (var i = 0; !end.IsCancellationRequested; i++)
        {
            try
            {
                await client.CommandAsync(["SET", "filler" + i, filler], CancellationToken.None);
            }
            catch (RespException)
            {
                // Nothing left to evict, just now.
            }

            await Task.Delay(10, CancellationToken.None);
        }

        await Redis.CommandAsync("CONFIG", "SET", "maxmemory", "0");
        Assert.DoesNotContain("evicted_keys:0\r", (await Redis.CommandAsync("INFO", "stats")).Text!, StringComparison.Ordinal);
    }

    public sealed class Nodes : FaultFarm;
}
