using Affinity.TestKit;
using ShopFarm;
using Xunit;

namespace Affinity.BalancerTests.Kit;

/// <summary>What the tests play: a crowd that shops while something happens to the nodes.</summary>
internal static class Scene
{
    /// <summary>How long a request may still be sent to a node that has just died, until the balancer's own events have told it. Generous, for machines with few cores.</summary>
    private static readonly TimeSpan InFlight = TimeSpan.FromMilliseconds(250);

    /// <summary>A balancer that has lost a node takes it back within this time.</summary>
    public static TimeSpan Seen { get; } = TimeSpan.FromMilliseconds(1500);

    private static CancellationToken None => CancellationToken.None;

    /// <summary>Visitors who are signed in and have something in their baskets, so each has a session and is bound.</summary>
    public static async Task<Crowd> SignedInAsync(Tally tally, int visitors, Doors choice, params IReadOnlyList<Uri> doors)
    {
        using var scout = new ShopFarm.Visitor("scout", doors, tally);
        var crowd = new Crowd(visitors, doors, tally, await scout.ProductsAsync(None), choice);
        await crowd.SignInAsync(None);
        await ShopAsync(crowd, rounds: 1);
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
        var shopping = Task.WhenAll(crowd.ShopUntilAsync(closing, hurried, None), meanwhile?.Invoke(closing) ?? Task.CompletedTask);
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
        tally.KillEnded(InFlight);
    }

    /// <summary>SIGTERM, and waits until the node has stopped by itself.</summary>
    public static async Task DrainAsync(AppProcess node)
    {
        node.Terminate();
        Assert.Equal(0, await node.WaitForExitAsync());
    }

    public static void AssertNothingLost(Tally tally)
    {
        Assert.True(tally.Answered > 40, $"Only {tally.Answered} values were answered: no load.");
        Assert.Equal((0, 0, 0), (tally.ValuesLost, tally.SignInsLost, tally.Doubled));
    }
}
