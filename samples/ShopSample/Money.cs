namespace ShopSample;

internal static class Money
{
    public static string Euro(long cents) => $"€{cents / 100}.{cents % 100:00}";
}
