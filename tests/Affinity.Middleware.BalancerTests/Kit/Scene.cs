using Affinity.TestKit;
using ShopFarm;
using ShopFarm.Balancers;
using Xunit;

namespace Affinity.BalancerTests.Kit;

/// <summary>What the tests play: a crowd that shops while something happens to the nodes.</summary>
internal static class Scene
{
    /// <summary>Between the purchases of a visitor. Everybody asks more than once while a node evacuates.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(600);

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Visitors who have something in their baskets and are signed in, so each has a session and is bound: from the first request on, before a balancer could give them a cookie of its own.</summary>
    public static async Task<Crowd> SignedInAsync(Tally tally, int visitors, Doors choice, params IReadOnlyList<Uri> doors)
    {
        using var scout = new ShopFarm.Visitor("scout", doors, tally);
        var crowd = new Crowd(visitors, doors, tally, await scout.ProductsAsync(None), choice);
        await ShopAsync(crowd, rounds: 1);
        await crowd.SignInAsync(None);
        return crowd;
    }

    public static async Task ShopAsync(Crowd crowd, int rounds)
    {
        for (var round = 0; round < rounds; round++)
        {
            await crowd.EachAsync(visitor => crowd.OrderAndLookAsync(visitor, None));
        }
    }

    public static async Task UnderLoadAsync(Crowd crowd, Func<Task> happens, bool hurried = false, Func<CancellationTokenSource, Task>? meanwhile = null)
    {
        using var closing = new CancellationTokenSource();
        var shopping = Task.WhenAll(crowd.ShopUntilAsync(closing, hurried ? TimeSpan.Zero : Pause, None), meanwhile?.Invoke(closing) ?? Task.CompletedTask);
        await Task.Delay(TimeSpan.FromSeconds(1));
        await happens();
        await Task.Delay(TimeSpan.FromSeconds(1));
        await closing.CancelAsync();
        await shopping;
        await crowd.CheckAsync(None);
    }

    /// <summary>People whom no node knows yet, one after another, who look once. A node that leaves must not be their first impression.</summary>
    public static async Task NewcomersAsync(Tally tally, Uri door, CancellationTokenSource closing)
    {
        while (!closing.IsCancellationRequested)
        {
            using var newcomer = new ShopFarm.Visitor("newcomer", [door], tally);
            await newcomer.ProductsAsync(None);
            await Task.Delay(50);
        }
    }

    /// <summary>SIGKILL, with its moment in the tally.</summary>
    public static async Task KillAsync(Tally tally, Action kill)
    {
        tally.KillBegins();
        await Task.Run(kill);
        tally.KillEnded(Tally.InFlight);
    }

    /// <summary>SIGTERM, and waits until the node has stopped by itself.</summary>
    public static async Task DrainAsync(AppProcess node)
    {
        node.Terminate();
        Assert.Equal(0, await node.WaitForExitAsync());
    }

    /// <summary>Waits until the balancer sends whoever is bound to the node there again, and whoever is not. One request at a time, as nginx tries a node that has failed with one.</summary>
    public static async Task BackAsync(Uri door, string name, BalancerTemplate template)
    {
        var isSuffix = template.NodeSettings.TryGetValue("Affinity:Stickiness:Dialect", out var dialect) && dialect == "Suffix";
        await AskUntilAsync(door, $"{ShopFarm.Visitor.RouteCookie}={(isSuffix ? "token." : "")}{name}", nodes => nodes[^1] == name, $"{template.Name} sends nobody who is bound to {name} there any more");
        await AskUntilAsync(door, cookie: null, nodes => nodes[^1] == name, $"{template.Name} sends no newcomers to {name} any more");
    }

    /// <summary>Waits until newcomers go to all nodes: Apache first makes good for all that a node has not served of the visitors who were bound to others, so hundreds of newcomers in a row may go to one.</summary>
    public static Task EvenAsync(Uri door, int nodes) =>
        AskUntilAsync(door, cookie: null, last => last.TakeLast(nodes).Distinct(StringComparer.Ordinal).Count() == nodes, $"Newcomers do not go to all {nodes} nodes");

    /// <summary>Newcomers ask without a pause.</summary>
    private static async Task AskUntilAsync(Uri door, string? cookie, Func<List<string>, bool> isOver, string complaint)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false });
        var (deadline, nodes) = (Deadline.In(TimeSpan.FromSeconds(15)), new List<string>());
        while (true)
        {
            var node = await NodeOfAsync(client, new Uri(door, "/api/products"), cookie);
            nodes.AddRange(node is null ? [] : [node]);
            if (node is not null && isOver(nodes))
            {
                return;
            }

            Assert.False(deadline.HasPassed, $"{complaint} ({string.Join(", ", nodes.CountBy(name => name, StringComparer.Ordinal).Select(count => $"{count.Value} by {count.Key}"))}).");
            await Task.Delay(cookie is null && node is not null ? 0 : 50);
        }
    }

    private static async Task<string?> NodeOfAsync(HttpClient client, Uri address, string? cookie)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (cookie is not null)
        {
            request.Headers.Add("Cookie", cookie);
        }

        try
        {
            using var response = await client.SendAsync(request);
            return response.Headers.TryGetValues(ShopFarm.Visitor.NodeHeader, out var nodes) ? nodes.First() : null;
        }
        catch (HttpRequestException)
        {
            return null;
        }
    }

    public static void AssertNothingLost(Tally tally)
    {
        Assert.True(tally.Answered > 40, $"Only {tally.Answered} values were answered: no load.");
        Assert.InRange(tally.Posts, tally.Requests / 3, tally.Requests * 3 / 5);
        Assert.Equal((0, 0, 0), (tally.ValuesLost, tally.SignInsLost, tally.Doubled));
    }
}
