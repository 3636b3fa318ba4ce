namespace ShopSample;

/// <summary>The shop's view of the session: typed, and every change a pure function that Affinity re-runs when another tab was first.</summary>
internal static class ShopSession
{
    private const string Key = "shop";

    public static Visit Visit(this ISession session) => session.Get<Visit>(Key) ?? ShopSample.Visit.Start;

    public static Basket ChangeBasket(this ISession session, Func<Basket, Basket> change) =>
        Change(session, visit => visit with { Basket = change(visit.Basket) }).Basket;

    /// <summary>Orders what is in the basket. Null: it is empty, perhaps because another tab has just ordered it.</summary>
    public static async Task<Order?> CheckOutAsync(this ISession session)
    {
        var number = Order.NewNumber();
        Change(session, visit => visit.CheckOut(number));

        // Saved before it is promised, even if the visitor hangs up: of two tabs that order at once, only one finds its number afterwards.
        await session.CommitAsync(CancellationToken.None);
        return session.Visit().Orders.FirstOrDefault(o => string.Equals(o.Number, number, StringComparison.Ordinal));
    }

    /// <summary>A visit with nothing in it is not kept, so emptying an empty basket begins no session.</summary>
    private static Visit Change(ISession session, Func<Visit, Visit> change) =>
        session.Update<Visit>(Key, visit => change(visit ?? ShopSample.Visit.Start) is { IsEmpty: false } next ? next : null) ?? ShopSample.Visit.Start;
}
