namespace ShopFarm;

/// <summary>The farm can't go on; the message says why and what helps.</summary>
internal sealed class FarmException(string message) : Exception(message);
