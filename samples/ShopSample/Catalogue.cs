namespace ShopSample;

/// <param name="Id">Also the name of its picture, <c>Pages/Shared/Pictures/_{Id}.cshtml</c>.</param>
/// <param name="Cents">The price of one, in euro cents.</param>
internal sealed record Product(string Id, string Name, string Text, int Cents);

internal static class Catalogue
{
    public static IReadOnlyList<Product> Products { get; } =
    [
        new("tea", "Assam Tea", "Second flush, malty, with a tag that does not fall in.", 890),
        new("coffee", "House Coffee", "Whole beans, roasted on Tuesdays. 250 g.", 1150),
        new("lamp", "Desk Lamp", "Warm light that stays on your side of the room.", 6400),
        new("notebook", "Notebook", "160 dotted pages that lie flat.", 1490),
        new("pencils", "Five Pencils", "Cedar, soft, and already sharp.", 750),
        new("mug", "Stoneware Mug", "Holds 300 ml and the warmth of it.", 1800),
        new("candle", "Beeswax Candle", "Burns for thirty quiet evenings.", 1650),
        new("plant", "Potted Fern", "Forgives a week without water.", 2200),
        new("honey", "Linden Honey", "From eleven hives by the river.", 980),
        new("blanket", "Wool Blanket", "One for two, or two turns for one.", 7900),
        new("clock", "Alarm Clock", "Two bells, no notifications.", 3450),
        new("radio", "Small Radio", "One dial for all that is on.", 5900),
    ];

    public static Product? Find(string? id) => Products.FirstOrDefault(p => string.Equals(p.Id, id, StringComparison.Ordinal));
}
