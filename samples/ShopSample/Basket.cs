namespace ShopSample;

/// <summary>Name and price are those of the moment when it was added, so a basket is whole by itself.</summary>
internal sealed record BasketLine(string ProductId, string Name, int Cents, int Quantity)
{
    public long Total => (long)Cents * Quantity;

    public bool Is(string productId) => string.Equals(ProductId, productId, StringComparison.Ordinal);
}

/// <summary>What somebody wants to buy. Immutable; at most one line per product, in the order in which they were added.</summary>
internal sealed record Basket(IReadOnlyList<BasketLine> Lines)
{
    public static Basket Empty { get; } = new([]);

    public int Count => Lines.Sum(l => l.Quantity);

    /// <summary>In euro cents.</summary>
    public long Total => Lines.Sum(l => l.Total);

    public Basket Add(Product product, int quantity) =>
        Lines.Any(l => l.Is(product.Id))
            ? new([.. Lines.Select(l => l.Is(product.Id) ? l with { Quantity = l.Quantity + quantity } : l)])
            : new([.. Lines, new BasketLine(product.Id, product.Name, product.Cents, quantity)]);

    /// <summary>Sets how many of a product; 0 removes it; a product that is not in the basket stays out.</summary>
    public Basket Change(string productId, int quantity) =>
        new([.. Lines.Select(l => l.Is(productId) ? l with { Quantity = quantity } : l).Where(l => l.Quantity > 0)]);

    public Basket Remove(string productId) => Change(productId, 0);
}
