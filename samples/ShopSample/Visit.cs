using System.Security.Cryptography;

namespace ShopSample;

/// <param name="Total">In euro cents.</param>
internal sealed record Order(string Number, long Total)
{
    /// <summary>8 characters of Crockford's base 32: easy to read out, and nobody guesses the next one.</summary>
    public static string NewNumber() => RandomNumberGenerator.GetString("0123456789ABCDEFGHJKMNPQRSTVWXYZ", 8);
}

/// <summary>All that the shop keeps in the session, under one key: so emptying the basket and noting the order are one change.</summary>
/// <param name="Orders">The newest first.</param>
internal sealed record Visit(Basket Basket, IReadOnlyList<Order> Orders)
{
    private const int RememberedOrders = 20;

    public static Visit Start { get; } = new(Basket.Empty, []);

    public bool IsEmpty => Basket.Lines.Count == 0 && Orders.Count == 0;

    public Visit CheckOut(string number) =>
        Basket.Lines.Count == 0 ? this : new(Basket.Empty, [new Order(number, Basket.Total), .. Orders.Take(RememberedOrders - 1)]);
}
