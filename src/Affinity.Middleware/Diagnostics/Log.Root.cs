using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6000, EventName = "InProcessBackend", Level = LogLevel.Warning,
        Message = "No shared store is configured, so sessions live in this process: right for one instance in development, and lost with it. "
            + "For more instances set ConnectionStrings:redis, for example to \"localhost:6379\".")]
    public static partial void InProcessBackend(this ILogger logger);
}
