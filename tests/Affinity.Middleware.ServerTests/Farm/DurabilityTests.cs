using System.Net.Http.Json;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;

namespace Affinity.ServerTests.Farm;

/// <summary>A save that is answered and not yet replicated, and then everybody who knows of it dies: the primary, and the node that has made it.</summary>
public sealed class DurabilityTests
{
    private const string Cookie = "__Host-affinity";

    [ServerTheory(Needs.Redis)]
    [InlineData("Replicated", "0.0.2", false)]
    [InlineData("Primary", "0.0.1", true)]
    public async Task What_only_the_visitor_knows_after_a_fail_over_is_done_again_or_told_as_lost(string durability, string value, bool isLost)
    {
        await using var pair = await RedisPair.StartAsync();
        await using var farm = await StartAsync(pair, durability);
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "history/set/x/0.0.1")).EnsureSuccessStatusCode();
        await pair.WaitUntilReplicatedAsync();
        pair.Part();
        (await visitor.PostAsync(farm[0], "history/set/x/0.0.2")).EnsureSuccessStatusCode();

        farm.Nodes[0].Kill();
        pair.Primary.Kill();
        await pair.PromoteAsync();
        await Eventually.WritesAsync(farm[1], TimeSpan.FromSeconds(20));

        var found = await ReadAsync(visitor, farm[1]);
        Assert.Equal((value, isLost), (found.Items["x"], found.Lost));
        (await visitor.PostAsync(farm[1], "history/set/y/0.0.3")).EnsureSuccessStatusCode();
        Assert.Equal(value, (await ReadAsync(visitor, farm[1])).Items["x"]);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_save_leaves_the_cookie_once_the_replica_has_it_and_not_before()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var farm = await StartAsync(pair, "Replicated");
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "history/set/x/0.0.1")).EnsureSuccessStatusCode();
        var least = await SettleAsync(visitor, farm[0]);

        pair.Part();
        (await visitor.PostAsync(farm[0], "history/set/x/0.0.2")).EnsureSuccessStatusCode();
        var carrying = visitor.Cookies[Cookie]!;
        for (var read = 0; read < 10; read++)
        {
            await ReadAsync(visitor, farm[read]);
            await Task.Delay(200);
        }

        Assert.Equal(carrying, visitor.Cookies[Cookie]);
        Assert.True(carrying.Length > least.Length + 50, $"{carrying.Length} characters carry nothing more than {least.Length}.");
        pair.Network.Refuse = false;
        await pair.WaitUntilReplicatedAsync();
        Assert.Equal(least.Length, (await SettleAsync(visitor, farm[1])).Length);
    }

    /// <summary>Reads until an answer hands out a smaller ticket.</summary>
    private static async Task<string> SettleAsync(Visitor visitor, Uri node)
    {
        var before = visitor.Cookies[Cookie]!;
        for (var tries = 0; tries < 100; tries++)
        {
            await ReadAsync(visitor, node);
            if (visitor.Cookies[Cookie] is { } now && now.Length < before.Length)
            {
                return now;
            }

            await Task.Delay(100);
        }

        throw new TimeoutException("The ticket did not become smaller within 10 s.");
    }

    private static Task<ProbeFarm> StartAsync(RedisPair pair, string durability) =>
        ProbeFarm.StartAsync(new FarmStart { ConnectionString = pair.ConnectionString, Settings = [("Affinity:Sessions:Durability", durability)] });

    private static async Task<HistoryAnswer> ReadAsync(Visitor visitor, Uri node)
    {
        using var response = await visitor.GetAsync(node, "history");
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync<HistoryAnswer>())!;
    }
}
