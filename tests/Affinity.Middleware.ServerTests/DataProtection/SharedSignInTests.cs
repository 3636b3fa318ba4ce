using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;

namespace Affinity.ServerTests.DataProtection;

/// <summary>Real processes, a real Redis, 40 ms between them: a sign-in on any node is good on every node.</summary>
public sealed class SharedSignInTests
{
    private const string RingKey = "DataProtection-Keys";

    [ServerFact(Needs.Redis)]
    public async Task Six_processes_that_start_at_once_on_an_empty_redis_share_one_key_and_so_does_a_seventh_after_the_ring_is_lost()
    {
        await using var redis = await RedisServer.StartAsync();
        using var relay = new TcpRelay(redis.Port) { DelayToServer = TimeSpan.FromMilliseconds(20), DelayToClient = TimeSpan.FromMilliseconds(20) };
        var nodes = new List<AppProcess>();
        try
        {
            nodes.AddRange(await Task.WhenAll(Enumerable.Range(1, 6).Select(i => StartAsync(relay, i))));
            var ring = await RingAsync(redis);
            Assert.Single(ring);
            Assert.Equal(36, await AcceptedAsync(nodes));

            Assert.Equal("1", (await redis.CommandAsync("DEL", RingKey)).Text);
            nodes.Add(await StartAsync(relay, 7));

            Assert.Equal(49, await AcceptedAsync(nodes));
            Assert.Equal(ring, await RingAsync(redis), StringComparer.Ordinal);
        }
        finally
        {
            await Task.WhenAll(nodes.Select(node => node.DisposeAsync().AsTask()));
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task A_key_that_comes_into_the_ring_later_is_good_on_every_node_at_once()
    {
        await using var redis = await RedisServer.StartAsync();
        using var relay = new TcpRelay(redis.Port);
        await using var first = await StartAsync(relay, 1);
        var ringOfFirst = await RingAsync(redis);

        // A node that starts while the other is silent and everything is lost makes a key of its own.
        first.Freeze();
        await redis.CommandAsync("FLUSHALL");
        await using var second = await StartAsync(relay, 2);
        var ringOfSecond = await RingAsync(redis);
        Assert.NotEqual(ringOfFirst, ringOfSecond, StringComparer.Ordinal);

        var visitor = new Visitor();
        await visitor.GetAsync(second.BaseAddress, "signin?name=ada");
        first.Thaw();

        Assert.Equal("ada", await visitor.GetStringAsync(first.BaseAddress, "whoami"));
    }

    private static Task<AppProcess> StartAsync(TcpRelay relay, int number) => AppProcess.StartAsync(new AppStart
    {
        Dll = typeof(SignInProbe).Assembly.Location,
        Configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["ConnectionStrings:redis"] = relay.ConnectionString,
            ["Affinity:Node:Id"] = $"node-{number}",
            ["Affinity:Ticket:InsecureAllowHttp"] = "true",
        },
    });

    private static async Task<string[]> RingAsync(RedisServer redis) =>
        [.. (await redis.CommandAsync("LRANGE", RingKey, "0", "-1")).Items!.Select(item => item.Text!)];

    /// <summary>Of the sign-ins on each node, how many are good on how many nodes.</summary>
    private static async Task<int> AcceptedAsync(List<AppProcess> nodes)
    {
        var accepted = 0;
        for (var i = 0; i < nodes.Count; i++)
        {
            var visitor = new Visitor();
            (await visitor.GetAsync(nodes[i].BaseAddress, $"signin?name=visitor{i}")).EnsureSuccessStatusCode();
            foreach (var node in nodes)
            {
                accepted += string.Equals(await visitor.GetStringAsync(node.BaseAddress, "whoami"), $"visitor{i}", StringComparison.Ordinal) ? 1 : 0;
            }
        }

        return accepted;
    }
}
