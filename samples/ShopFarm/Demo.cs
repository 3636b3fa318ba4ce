namespace ShopFarm;

/// <summary>The story: a visitor signs in and fills a basket, the node that served them is killed under load, and they notice nothing.</summary>
internal static class Demo
{
    private const int CrowdSize = 20;

    /// <summary>True when nothing was lost and nothing failed.</summary>
    public static async Task<bool> RunAsync(Farm farm, CancellationToken cancellationToken)
    {
        var tally = new Tally();
        using var ada = new Visitor("Ada", farm.Doors, tally);
        var products = await ada.ProductsAsync(cancellationToken);
        if (products.Count < 3)
        {
            throw new FarmException("The shop has nothing to sell: /api/products did not answer with a list.");
        }

        await ada.SignInAsync(cancellationToken);
        foreach (var product in products.Take(3))
        {
            await ada.OrderAsync(product, 2, cancellationToken);
        }

        var whole = await ada.CheckAsync(cancellationToken);
        var killed = farm.Nodes.FirstOrDefault(n => string.Equals(n.Name, ada.Node, StringComparison.Ordinal))
            ?? throw new FarmException($"No response names its node ({Visitor.NodeHeader}).");
        Say($"Ada has signed in and has 3 products in her basket, served by {killed.Name}");

        using var crowd = new Crowd(CrowdSize, farm.Doors, tally, products);
        await crowd.SignInAsync(cancellationToken);
        using var closing = new CancellationTokenSource();
        var shopping = crowd.ShopUntilAsync(closing, TimeSpan.FromMilliseconds(300), cancellationToken);
        await PassAsync($"{CrowdSize} more visitors shop", TimeSpan.FromSeconds(4), tally, cancellationToken);

        tally.KillBegins();
        await killed.KillAsync();
        tally.KillEnded(farm.PostsFailFor + Tally.InFlight);
        Say($"{killed.Name} is killed with SIGKILL");

        whole &= await ada.CheckAsync(cancellationToken);
        Say($"Ada looks into her basket, on {ada.Node}: {(whole ? "all is there, and she is still signed in" : "SOMETHING IS MISSING")}");
        await ada.OrderAsync(products[0], 1, cancellationToken);
        await PassAsync("the farm runs on two nodes", TimeSpan.FromSeconds(3), tally, cancellationToken);

        Say($"{killed.Name} starts again (its name is free when its former life counts as dead)");
        await killed.StartAsync(cancellationToken);
        await PassAsync("the farm runs on three nodes", TimeSpan.FromSeconds(4), tally, cancellationToken);

        await closing.CancelAsync();
        await shopping;
        await crowd.CheckAsync(cancellationToken);
        whole &= await ada.CheckAsync(cancellationToken);
        Summarize(farm, tally);
        return whole && tally.NothingLost;
    }

    private static async Task PassAsync(string what, TimeSpan time, Tally tally, CancellationToken cancellationToken)
    {
        for (var left = time; left > TimeSpan.Zero; left -= TimeSpan.FromSeconds(1))
        {
            await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken);
            Say($"{what}: {tally.Requests} requests, {tally.Failed} failed");
        }
    }

    private static void Summarize(Farm farm, Tally tally)
    {
        Console.WriteLine($"""

            summary   {farm.BalancerName}, {farm.Store.Name}, {CrowdSize + 1} visitors
              requests made                {tally.Requests,6}
              failed                       {tally.Failed,6}
              answered values lost         {tally.ValuesLost,6}  of {tally.Answered}
              sign-ins lost                {tally.SignInsLost,6}  of {CrowdSize + 1}
              in a basket twice            {tally.Doubled,6}
              in flight on the dying node  {tally.Retried,6}  GET, asked again by the visitor
                                           {tally.Unanswered,6}  POST, never answered: the basket told whether it was done, nothing was promised
            """);
        foreach (var fault in tally.FailureLines)
        {
            Console.WriteLine($"  failed: {fault}");
        }
    }

    private static void Say(string what) => Console.WriteLine($"{DateTime.Now:HH:mm:ss}  {what}");
}
