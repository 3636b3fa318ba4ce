using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 3010, EventName = "VisitorReassigned", Level = LogLevel.Debug,
        Message = "Node {Node} has sent a visitor to node {Target}: {Reason}.")]
    internal static partial void VisitorReassigned(this ILogger logger, string node, string target, string reason);
}
