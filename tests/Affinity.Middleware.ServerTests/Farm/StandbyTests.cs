using System.Diagnostics;
using System.Globalization;
using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Two nodes, a Redis, and a second one at another site. The nodes move after 3 s, with a lease of 1 s.</summary>
public sealed class StandbyTests(ITestOutputHelper output)
{
    private static readonly (string Key, string Value)[] Quick =
    [
        ("Affinity:StandbyStore:MoveAfter", "00:00:03"), ("Affinity:Node:HeartbeatInterval", "00:00:00.3"), ("Affinity:Node:DeadAfter", "00:00:01.5"),
    ];

    /// <summary>Three times, a poll, a time limit and a slow machine.</summary>
    private static readonly TimeSpan MovesWithin = TimeSpan.FromSeconds(3 + 1 + 4);

    [ServerFact(Needs.Redis)]
    public async Task When_the_first_store_is_killed_both_nodes_move_with_sessions_and_sign_in_and_return_by_command_alone()
    {
        await using var first = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true });
        await using var standby = await RedisServer.StartAsync();
        await using var farm = await StartAsync(first, standby);
        var operators = new Visitor();
        (await operators.GetAsync(farm[0], "signin?name=operator")).EnsureSuccessStatusCode();
        var shoppers = Enumerable.Range(0, 8).Select(i => new Shopper(farm[i % 2], farm[(i + 1) % 2])).ToArray();
        await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));
        using var refused = await operators.PostAsync(farm[0], "affinity/store/first");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);

        first.Kill();
        var took = Stopwatch.StartNew();
        await BuyUntilAsync(shoppers, () => InUse(farm, "Standby"));
        output.WriteLine($"The first store was killed: both nodes use the other one after {took.Elapsed.TotalSeconds:0.0} s; {shoppers.Sum(shopper => shopper.Bought)} purchases, {shoppers.Sum(shopper => shopper.Refused)} refused meanwhile");
        Assert.True(took.Elapsed < MovesWithin, $"It took {took.Elapsed}.");
        await AssertKeptAsync(shoppers);
        Assert.Equal("operator", await operators.GetStringAsync(farm[1], "whoami"));

        await first.RestartAsync();
        await first.ResetCommandCallsAsync();
        for (var i = 0; i < 10; i++)
        {
            await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));
            await Task.Delay(100);
        }

        var calls = await first.CommandCallsAsync();
        output.WriteLine($"The first store is back, 80 purchases: {string.Join(", ", calls.OrderBy(call => call.Key).Select(call => $"{call.Key} {call.Value}"))}");
        Assert.InRange(calls.GetValueOrDefault("hset"), 0, 1); // the order, for who can read it there only
        Assert.False(InUse(farm, "First"));

        using var accepted = await operators.PostAsync(farm[1], "affinity/store/first");
        Assert.Equal(HttpStatusCode.Accepted, accepted.StatusCode);
        await BuyUntilAsync(shoppers, () => InUse(farm, "First"));
        await AssertKeptAsync(shoppers);
        Assert.Equal("operator", await operators.GetStringAsync(farm[0], "whoami"));
        await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));
        await AssertKeptAsync(shoppers);
        Assert.Equal(0, shoppers.Sum(shopper => shopper.Refused));
        Assert.True((await first.CommandCallsAsync()).GetValueOrDefault("hset") > 8);
    }

    [ServerFact(Needs.Redis)]
    public async Task When_one_node_is_cut_off_from_the_first_store_the_other_which_sees_it_does_not_write_to_it_after_the_move()
    {
        await using var first = await RedisServer.StartAsync();
        await using var standby = await RedisServer.StartAsync();
        using var relay = new TcpRelay(first.Port);
        await using var farm = await StartAsync(first, standby, relay);
        var shoppers = Enumerable.Range(0, 8).Select(i => new Shopper(farm[i % 2], farm[(i + 1) % 2])).ToArray();
        await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));

        relay.Hold = true;
        var took = Stopwatch.StartNew();
        await BuyUntilAsync(shoppers, () => InUse(farm, "Standby"));
        output.WriteLine($"One of two nodes was cut off: both use the other store after {took.Elapsed.TotalSeconds:0.0} s; {shoppers.Sum(shopper => shopper.Bought)} purchases, {shoppers.Sum(shopper => shopper.Refused)} refused meanwhile");
        await first.ResetCommandCallsAsync();
        for (var i = 0; i < 5; i++)
        {
            await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));
        }

        await AssertKeptAsync(shoppers);
        Assert.Equal(0, (await first.CommandCallsAsync()).GetValueOrDefault("hset"));
        Assert.True((await first.CommandCallsAsync()).GetValueOrDefault("evalsha") > 0); // it is still looked at
    }

    private static Task<ProbeFarm> StartAsync(RedisServer first, RedisServer standby, TcpRelay? relay = null) => ProbeFarm.StartAsync(new FarmStart
    {
        ConnectionString = first.ConnectionString,
        Settings = [("ConnectionStrings:affinity-standby", standby.ConnectionString), .. Quick],
        NodeSettings = node => relay is not null && node == 0 ? [("ConnectionStrings:redis", relay.ConnectionString)] : [],
    });

    /// <summary>Whether each node has said so, and nothing else since.</summary>
    private static bool InUse(ProbeFarm farm, string store) => farm.Nodes.All(node =>
    {
        var text = node.Output.ToString();
        return text.LastIndexOf($"uses the store {store}", StringComparison.Ordinal) is var said and >= 0 && text.LastIndexOf("uses the store ", StringComparison.Ordinal) == said;
    });

    private static async Task BuyUntilAsync(Shopper[] shoppers, Func<bool> isSo)
    {
        for (var watch = Stopwatch.StartNew(); !isSo();)
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), "The nodes do not move.");
            await Task.WhenAll(shoppers.Select(shopper => shopper.BuyAsync()));
            await Task.Delay(100);
        }
    }

    private static async Task AssertKeptAsync(Shopper[] shoppers)
    {
        foreach (var shopper in shoppers)
        {
            await shopper.AssertKeptAsync();
        }
    }

    /// <summary>Buys one thing after another, at the node of theirs, and looks at the other one whether all is there.</summary>
    private sealed class Shopper(Uri own, Uri other)
    {
        private readonly Visitor _visitor = new();

        public int Bought { get; private set; }

        public int Refused { get; private set; }

        public async Task BuyAsync()
        {
            using var response = await _visitor.PostAsync(own, $"set/n/{Bought + 1}");
            if (response.IsSuccessStatusCode)
            {
                Bought++;
            }
            else
            {
                Refused++;
            }
        }

        public async Task AssertKeptAsync()
        {
            var expected = Bought.ToString(CultureInfo.InvariantCulture);
            Assert.Equal(expected, await ReadAsync(other));
            Assert.Equal(expected, await ReadAsync(own));
        }

        /// <summary>A node that does not remember the session asks a store that has just failed again after a second, and says 503 until then; never anything else.</summary>
        private async Task<string> ReadAsync(Uri node)
        {
            for (var patience = Stopwatch.StartNew(); ; await Task.Delay(100))
            {
                using var response = await _visitor.GetAsync(node, "loaded/n");
                if (response.StatusCode != HttpStatusCode.ServiceUnavailable || patience.Elapsed > TimeSpan.FromSeconds(5))
                {
                    return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync();
                }
            }
        }
    }
}
