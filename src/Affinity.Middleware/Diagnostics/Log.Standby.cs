using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6220, EventName = "StandbyOrdered", Level = LogLevel.Warning,
        Message = "All nodes are told to use the store {Site} (order {Epoch}), as {Why}. They do in {Lease}; until then nobody writes to either store, and changes ride in the visitors' tickets.")]
    internal static partial void StandbyOrdered(this ILogger logger, string site, long epoch, string why, TimeSpan lease);

    [LoggerMessage(EventId = 6221, EventName = "StandbyStoreInUse", Level = LogLevel.Warning,
        Message = "This node uses the store {Site} (order {Epoch}).")]
    internal static partial void StandbyStoreInUse(this ILogger logger, string site, long epoch);

    [LoggerMessage(EventId = 6222, EventName = "StandbyWritesHeld", Level = LogLevel.Warning,
        Message = "This node writes to neither store for now: the nodes are moving, or the standby cannot be read and it is not certain that they have not. Changes ride in the visitors' tickets.")]
    internal static partial void StandbyWritesHeld(this ILogger logger);

    [LoggerMessage(EventId = 6223, EventName = "StandbyNotReadable", Level = LogLevel.Warning,
        Message = "The standby store cannot be read. This node goes on with the first one as long as all nodes that it knew live there; nobody can move meanwhile.")]
    internal static partial void StandbyNotReadable(this ILogger logger);

    [LoggerMessage(EventId = 6224, EventName = "StandbyReadable", Level = LogLevel.Information,
        Message = "The standby store can be read again.")]
    internal static partial void StandbyReadable(this ILogger logger);
}
