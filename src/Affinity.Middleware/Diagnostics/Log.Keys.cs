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

    [LoggerMessage(EventId = 2503, EventName = "KeyRefreshFailed", Level = LogLevel.Error,
        Message = "A refresh of the shared key rings ended with an unexpected fault; the next one follows.")]
    internal static partial void KeyRefreshFailed(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2504, EventName = "WaitingForKeysOfPeers", Level = LogLevel.Information,
        Message = "The ring {Ring} is empty while other nodes live: waiting up to {Seconds} s for their keys before a new one may be created.")]
    internal static partial void WaitingForKeysOfPeers(this ILogger logger, string ring, double seconds);

    [LoggerMessage(EventId = 2505, EventName = "NoKeysOfPeers", Level = LogLevel.Warning,
        Message = "No other node has put keys into the ring {Ring}; this node may create one now, and cookies protected by lost keys stay unreadable.")]
    internal static partial void NoKeysOfPeers(this ILogger logger, string ring);

    [LoggerMessage(EventId = 2510, EventName = "DataProtectionElementSkipped", Level = LogLevel.Warning,
        Message = "Element {Position} of the ring {Ring} is skipped ({Reason}); it stays in the vault. If cookies that it protects should be readable, find out who wrote it.")]
    internal static partial void DataProtectionElementSkipped(this ILogger logger, int position, string ring, string reason);

    [LoggerMessage(EventId = 2511, EventName = "DataProtectionKeyAdded", Level = LogLevel.Information,
        Message = "A Data Protection element went into the key vault: {Name}.")]
    internal static partial void DataProtectionKeyAdded(this ILogger logger, string name);

    [LoggerMessage(EventId = 2512, EventName = "DataProtectionKeyNotNeeded", Level = LogLevel.Information,
        Message = "A new Data Protection key was dropped before use, as another node had added one: {Name}.")]
    internal static partial void DataProtectionKeyNotNeeded(this ILogger logger, string name);

    [LoggerMessage(EventId = 2513, EventName = "DataProtectionKeysNotLoaded", Level = LogLevel.Error,
        Message = "The Data Protection keys could not be loaded; the node goes on with those it has, if any, and tries again.")]
    internal static partial void DataProtectionKeysNotLoaded(this ILogger logger, Exception exception);

    [LoggerMessage(EventId = 2514, EventName = "DataProtectionKeysReloaded", Level = LogLevel.Debug,
        Message = "The Data Protection keys were loaded from {Count} elements.")]
    internal static partial void DataProtectionKeysReloaded(this ILogger logger, int count);

    [LoggerMessage(EventId = 2515, EventName = "UnknownKeysMet", Level = LogLevel.Debug,
        Message = "A request names {Count} Data Protection keys that this node does not know; after reading the vault {StillUnknown} are still unknown.")]
    internal static partial void UnknownKeysMet(this ILogger logger, int count, int stillUnknown);

    [LoggerMessage(EventId = 2516, EventName = "DataProtectionStorageOfTheApp", Level = LogLevel.Information,
        Message = "The app keeps its Data Protection keys in a place of its own ({Repository}); Affinity leaves them alone. All nodes must share that place.")]
    internal static partial void DataProtectionStorageOfTheApp(this ILogger logger, string repository);
}
