using System.Diagnostics;
using System.Globalization;
using System.Net;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Redis loses what it has acknowledged: everything, or the last writes. Live nodes remember, give it back, and no visitor notices; on whichever node.</summary>
public sealed class LostWritesTests(ITestOutputHelper output)
{
    private const int Visitors = 12;

    [ServerFact(Needs.Redis)]
    public async Task Everything_that_Redis_forgets_under_use_by_a_flush_a_restart_or_an_old_dump_comes_back_and_nobody_is_signed_out()
    {
        await using var farm = await ProbeFarm.StartAsync(2);
        var visitors = Enumerable.Range(0, Visitors).Select(number => new Shopper(number)).ToList();
        await Task.WhenAll(visitors.Select(visitor => visitor.SignInAsync(farm)));

        // Under use, twice.
        using (var stop = new CancellationTokenSource())
        {
            var shopping = visitors.Select(visitor => Task.Run(() => visitor.ShopAsync(farm, stop.Token))).ToList();
            await Task.Delay(300);
            await farm.Redis.CommandAsync("FLUSHALL");
            await Task.Delay(700);
            await farm.Redis.CommandAsync("FLUSHALL");
            await Task.Delay(400);
            await stop.CancelAsync();
            await Task.WhenAll(shopping);
        }

        Tell("FLUSHALL under use", visitors);
        await EverybodyHasEverythingAsync(farm, visitors);

        // While nobody asks: the nodes notice by themselves.
        await farm.Redis.CommandAsync("FLUSHALL");
        await SessionsAreBackAsync(farm, "FLUSHALL while nobody asks");
        await EverybodyHasEverythingAsync(farm, visitors);

        farm.Redis.Kill();
        await farm.Redis.RestartAsync();
        await SessionsAreBackAsync(farm, "restart without persistence");
        await EverybodyHasEverythingAsync(farm, visitors);

        await farm.Redis.CommandAsync("SAVE");
        await Task.WhenAll(visitors.Select(visitor => visitor.BuyAsync(farm)));
        var noticed = farm.Nodes.Select(Noticed).ToArray();
        farm.Redis.Kill();
        await farm.Redis.RestartAsync();
        var restored = Stopwatch.StartNew();
        while (farm.Nodes.Where((node, i) => Noticed(node) == noticed[i]).Any())
        {
            Assert.True(restored.Elapsed < TimeSpan.FromSeconds(20), "A node does not notice that the server has another history.");
            await Task.Delay(50);
        }

        output.WriteLine($"restore of an old dump: noticed and given back after {restored.ElapsedMilliseconds} ms");
        await EverybodyHasEverythingAsync(farm, visitors);

        Assert.DoesNotContain(farm.Nodes, node => node.Output.Contains("no other node has given"));
        Assert.Contains(farm.Nodes, node => node.Output.Contains("have been written back"));
        Assert.Contains(farm.Nodes, node => node.Output.Lines().Any(line => line.Contains("master_replid", StringComparison.Ordinal) && line.Contains(", before ", StringComparison.Ordinal)));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_replica_that_lacks_the_last_writes_tells_nobody_a_loss_before_its_promotion_and_is_given_them_after_it()
    {
        await using var pair = await RedisPair.StartAsync();
        await using var farm = await ProbeFarm.StartAsync(2, settings: [("ConnectionStrings:redis", pair.ConnectionString), ("Affinity:Sessions:NearCache:MaxAge", "00:00:01")]);
        var (visitor, other) = (new Visitor(), new Visitor());
        (await visitor.PostAsync(farm[0], "set/x/old")).EnsureSuccessStatusCode();
        (await other.PostAsync(farm[0], "set/y/old")).EnsureSuccessStatusCode();
        await pair.WaitUntilReplicatedAsync();
        pair.Part();
        (await visitor.PostAsync(farm[0], "set/x/new")).EnsureSuccessStatusCode();
        (await other.PostAsync(farm[0], "set/y/new")).EnsureSuccessStatusCode();
        pair.Primary.Kill();

        // The node that does not remember: out of reach, never "older" nor "none".
        var refused = 0;
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < TimeSpan.FromSeconds(1);)
        {
            using var response = await visitor.GetAsync(farm[1], "get/x");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
            refused++;
            await Task.Delay(50);
        }

        await pair.PromoteAsync();
        var promoted = Stopwatch.StartNew();
        await Eventually.AnswersAsync(farm[1], "get/x", HttpStatusCode.OK, visitor, value => value == "new");
        output.WriteLine($"refused {refused} times while there was no primary; the lost write is read on the other node {promoted.ElapsedMilliseconds} ms after the promotion");
        await farm.Nodes[0].Output.WaitForLineAsync("have been written back");
        Assert.Equal("new", await other.GetStringAsync(farm[1], "get/y"));
        Assert.DoesNotContain(farm.Nodes, node => node.Output.Contains("no other node has given"));
    }

    private static int Noticed(AppProcess node) => node.Output.Lines().Count(line => line.Contains("lost data", StringComparison.Ordinal));

    private void Tell(string what, IEnumerable<Shopper> visitors) =>
        output.WriteLine($"{what}: {visitors.Sum(visitor => visitor.Requests)} requests of {Visitors} visitors, every answer as the last save had it");

    private async Task SessionsAreBackAsync(ProbeFarm farm, string after)
    {
        var watch = Stopwatch.StartNew();
        long held = 0;
        while (held < Visitors && watch.Elapsed < TimeSpan.FromSeconds(20))
        {
            await Task.Delay(50);
            held = (await farm.Redis.CommandAsync("KEYS", "*:s:*")).Items!.Count;
        }

        output.WriteLine($"{after}: {held} sessions are back in Redis after {watch.ElapsedMilliseconds} ms");
        Assert.InRange(held, Visitors, long.MaxValue);
    }

    private static Task EverybodyHasEverythingAsync(ProbeFarm farm, IEnumerable<Shopper> visitors) =>
        Task.WhenAll(visitors.SelectMany(visitor => farm.Nodes.Select(node => visitor.CheckAsync(node.BaseAddress))));

    /// <summary>Somebody who counts what they have bought, on either node, and is signed in.</summary>
    private sealed class Shopper(int number)
    {
        private readonly Visitor _visitor = new();
        private readonly string _name = string.Create(CultureInfo.InvariantCulture, $"visitor{number}");
        private int _bought;

        public int Requests { get; private set; }

        public async Task SignInAsync(ProbeFarm farm)
        {
            await BuyAsync(farm);
            using var response = await _visitor.GetAsync(farm[number], "signin?name=" + _name);
            response.EnsureSuccessStatusCode();
        }

        public async Task ShopAsync(ProbeFarm farm, CancellationToken stop)
        {
            for (var round = number; !stop.IsCancellationRequested; round++)
            {
                if (round % 3 == 0)
                {
                    await BuyAsync(farm, round);
                }

                await CheckAsync(farm[(round / 2) + 1]);
                await Task.Delay(15, CancellationToken.None);
            }
        }

        public async Task BuyAsync(ProbeFarm farm, int round = 0)
        {
            using var response = await _visitor.PostAsync(farm[number + round], "add/bought");
            Requests++;
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(++_bought, int.Parse(await response.Content.ReadAsStringAsync(), CultureInfo.InvariantCulture));
        }

        public async Task CheckAsync(Uri node)
        {
            Requests++;
            Assert.Equal(_bought.ToString(CultureInfo.InvariantCulture), await _visitor.GetStringAsync(node, "get/bought"));
            Assert.Equal(_name, await _visitor.GetStringAsync(node, "whoami"));
        }
    }
}
