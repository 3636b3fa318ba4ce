namespace ShopFarm;

/// <summary>Visitors who shop at the same time. Half of their requests are posts.</summary>
internal sealed class Crowd : IDisposable
{
    private readonly IReadOnlyList<string> _products;

    public Crowd(int size, IReadOnlyList<Uri> doors, Tally tally, IReadOnlyList<string> products, Doors choice = Doors.Same)
    {
        _products = products;
        Visitors = [.. Enumerable.Range(1, size).Select(i => new Visitor($"visitor {i}", doors, tally, choice))];
    }

    public IReadOnlyList<Visitor> Visitors { get; }

    public Task EachAsync(Func<Visitor, Task> act) => Task.WhenAll(Visitors.Select(act));

    public Task SignInAsync(CancellationToken cancellationToken) => EachAsync(v => v.SignInAsync(cancellationToken));

    /// <summary>Everybody shops until told to stop, and finishes what they have begun then.</summary>
    /// <param name="closing">Tells them.</param>
    /// <param name="pause">Between an order with its look into the basket and the next one, on the average; zero: always a request of each visitor is in flight.</param>
    /// <param name="cancellationToken">Breaks off.</param>
    public Task ShopUntilAsync(CancellationTokenSource closing, TimeSpan pause, CancellationToken cancellationToken) => EachAsync(async visitor =>
    {
        // One after another, so that not all begin at once.
        await Task.Delay(Random.Shared.Next(100), cancellationToken);
        while (!closing.IsCancellationRequested)
        {
            await OrderAndLookAsync(visitor, cancellationToken);
            await Task.Delay(pause * (0.5 + Random.Shared.NextDouble()), cancellationToken);
        }
    });

    public async Task OrderAndLookAsync(Visitor visitor, CancellationToken cancellationToken)
    {
        await visitor.OrderAsync(_products[Random.Shared.Next(_products.Count)], 1, cancellationToken);
        await visitor.CheckBasketAsync(cancellationToken);
    }

    /// <summary>Everybody looks whether all is there.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => EachAsync(v => v.CheckAsync(cancellationToken));

    public void Dispose()
    {
        foreach (var visitor in Visitors)
        {
            visitor.Dispose();
        }
    }
}
