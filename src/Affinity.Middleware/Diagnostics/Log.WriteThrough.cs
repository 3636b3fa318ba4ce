using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6200, EventName = "SessionCacheAway", Level = LogLevel.Warning,
        Message = "The cache in front of the database does not answer ({Reason}) and is left alone until it does; sessions are read from the database meanwhile. It is asked again by itself, and no request waits for it.")]
    internal static partial void SessionCacheAway(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6201, EventName = "SessionCacheBack", Level = LogLevel.Information,
        Message = "The cache in front of the database answers again.")]
    internal static partial void SessionCacheBack(this ILogger logger);

    [LoggerMessage(EventId = 6202, EventName = "SessionCacheRefuses", Level = LogLevel.Warning,
        Message = "The cache in front of the database refused a call: {Reason} The database was asked instead. Told once a minute at most.")]
    internal static partial void SessionCacheRefuses(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6203, EventName = "SessionDatabaseAway", Level = LogLevel.Warning,
        Message = "The database behind the cache does not answer ({Reason}). Sessions that the cache holds are read from it, whatever their age; the others, and every change, wait until the database is back.")]
    internal static partial void SessionDatabaseAway(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6204, EventName = "SessionDatabaseBack", Level = LogLevel.Information,
        Message = "The database behind the cache answers again.")]
    internal static partial void SessionDatabaseBack(this ILogger logger);
}
