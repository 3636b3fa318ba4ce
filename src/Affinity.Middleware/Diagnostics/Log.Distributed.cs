using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6300, EventName = "DistributedCacheInProcess", Level = LogLevel.Warning,
        Message = "Affinity:Store is Distributed, and the IDistributedCache that the app has registered keeps everything in this process (AddDistributedMemoryCache, which MVC registers too): other instances do not see the sessions, and they end with the process. In production, register a cache that all instances reach.")]
    internal static partial void DistributedCacheInProcess(this ILogger logger);

    [LoggerMessage(EventId = 6301, EventName = "DistributedWriteOverwritten", Level = LogLevel.Debug,
        Message = "Another writer has put {Stored} over {Written} before it could be read back from the distributed cache; the change is made again on top of that.")]
    internal static partial void DistributedWriteOverwritten(this ILogger logger, string written, string stored);
}
