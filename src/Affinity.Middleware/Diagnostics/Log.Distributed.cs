using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6300, EventName = "DistributedCacheInProcess", Level = LogLevel.Warning,
        Message = "Affinity:Store is Distributed, and the IDistributedCache that the app has registered keeps everything in this process (AddDistributedMemoryCache, which MVC registers too): other instances do not see the sessions, and they end with the process. In production, register a cache that all instances reach.")]
    internal static partial void DistributedCacheInProcess(this ILogger logger);

    [LoggerMessage(EventId = 6302, EventName = "SessionsInDistributedCache", Level = LogLevel.Information,
        Message = "Sessions lie in the IDistributedCache that the app has registered, with the weaker promises of docs/distributed-cache.md. Instances share: {Shared}, and Data Protection keys ({Storage}). Nodes do not know of each other, so a drain sends nobody elsewhere by name.")]
    internal static partial void SessionsInDistributedCache(this ILogger logger, string shared, string storage);

    [LoggerMessage(EventId = 6303, EventName = "DistributedKeysNotShared", Level = LogLevel.Warning,
        Message = "The Data Protection keys lie where the framework puts them by default, which instances on other machines and in containers do not see, and Affinity:Store = Distributed keeps none: sign-ins, antiforgery tokens and what rides in cookies while the cache is away would be refused there. "
            + "Set Affinity:KeyDirectory, or share them with the app's own AddDataProtection().PersistKeysTo….")]
    internal static partial void DistributedKeysNotShared(this ILogger logger);

    [LoggerMessage(EventId = 6301, EventName = "DistributedWriteOverwritten", Level = LogLevel.Debug,
        Message = "Another writer has put {Stored} over {Written} before it could be read back from the distributed cache; the change is made again on top of that.")]
    internal static partial void DistributedWriteOverwritten(this ILogger logger, string written, string stored);
}
