namespace ShopFarm;

/// <summary>Visitors who shop all the while, so that the node dies under load.</summary>
internal sealed class Crowd : IAsyncDisposable
{
    private readonly CancellationTokenSource _goHome = new();
    private readonly Task[] _visits;

    public Crowd(int size, Farm farm, Tally tally, IReadOnlyList<string> products, CancellationToken cancellationToken) =>
        _visits = [.. Enumerable.Range(1, size).Select(i => VisitAsync($"visitor {i}", farm, tally, products, cancellationToken))];

    /// <summary>Lets everybody finish, look into their basket once more, and leave.</summary>
    public async Task GoHomeAsync()
    {
        await _goHome.CancelAsync();
        await Task.WhenAll(_visits);
    }

    public async ValueTask DisposeAsync()
    {
        await _goHome.CancelAsync();
        await Task.WhenAll(_visits).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _goHome.Dispose();
    }

    private async Task VisitAsync(string name, Farm farm, Tally tally, IReadOnlyList<string> products, CancellationToken cancellationToken)
    {
        using var visitor = new Visitor(name, farm.Doors, tally);
        await visitor.SignInAsync(cancellationToken);
        while (!_goHome.IsCancellationRequested)
        {
            await visitor.OrderAsync(products[Random.Shared.Next(products.Count)], 1, cancellationToken);
            await visitor.CheckAsync(cancellationToken);
            await Task.Delay(Random.Shared.Next(20, 120), cancellationToken);
        }

        await visitor.CheckAsync(cancellationToken);
    }
}
