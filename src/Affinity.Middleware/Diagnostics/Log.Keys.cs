using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

/// <summary>What the shared key rings and Data Protection tell. No line holds a key or an element; the ids of keys are no secrets (every cookie shows them).</summary>
internal static partial class Log
{
    [LoggerMessage(EventId = 2500, EventName = "KeyVaultAway", Level = LogLevel.Warning,
        Message = "The key vault does not answer for the ring {Ring}; the node goes on with the {Known} elements that it knows and tries again.")]
    internal static partial void KeyVaultAway(this ILogger logger, string ring, int known, Exception exception);

    [LoggerMessage(EventId = 2501, EventName = "KeyVaultBack", Level = LogLevel.Information,
        Message = "The key vault answers again for the ring {Ring}.")]
    internal static partial void KeyVaultBack(this ILogger logger, string ring);

    [LoggerMessage(EventId = 2502, EventName = "KeysPutBack", Level = LogLevel.Warning,
        Message = "The key vault had lost elements of the ring {Ring}; this node has put {Count} back. A vault that loses keys signs visitors out when all nodes restart: check its persistence and its eviction policy.")]
    internal static partial void KeysPutBack(this ILogger logger, string ring, int count);
}
