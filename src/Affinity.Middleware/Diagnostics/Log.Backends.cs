using System.Net;
using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 5000, EventName = "RedisConnected", Level = LogLevel.Information, Message = "Connected to Redis.")]
    internal static partial void RedisConnected(this ILogger logger);

    [LoggerMessage(EventId = 5001, EventName = "RedisNotReachable", Level = LogLevel.Warning,
        Message = "Redis is not reachable ({Reason}). The connection comes up by itself when Redis does.")]
    internal static partial void RedisNotReachable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5002, EventName = "RedisConnectionLost", Level = LogLevel.Warning,
        Message = "The connection to Redis at {EndPoint} was lost ({Reason}). It is made anew by itself.")]
    internal static partial void RedisConnectionLost(this ILogger logger, EndPoint? endPoint, string reason);

    [LoggerMessage(EventId = 5003, EventName = "RedisConnectionRestored", Level = LogLevel.Information,
        Message = "The connection to Redis at {EndPoint} is there again.")]
    internal static partial void RedisConnectionRestored(this ILogger logger, EndPoint? endPoint);

    [LoggerMessage(EventId = 5004, EventName = "RedisLoginRefused", Level = LogLevel.Error,
        Message = "Redis refuses the user or password of the connection string, or asks for one that it does not have. Set it right (ConnectionStrings:redis) here or there; it is tried again all the while.")]
    internal static partial void RedisLoginRefused(this ILogger logger);

    [LoggerMessage(EventId = 5005, EventName = "RedisAnnouncementsNotHeard", Level = LogLevel.Warning,
        Message = "Other nodes cannot tell this one that a session has ended, as the subscription failed: {Reason} It is tried again each second. Until then an ended session is refused here after Affinity:Sessions:NearCache:MaxAge. If the user may not subscribe, permit the channel.")]
    internal static partial void RedisAnnouncementsNotHeard(this ILogger logger, string reason);

    [LoggerMessage(EventId = 5006, EventName = "RedisRepliesMixedUp", Level = LogLevel.Error,
        Message = "Redis answered a call with the reply to another one. Neither was used, no visitor was shown another one's session, and the connection is made anew. Look for a proxy between this node and Redis that shares connections.")]
    internal static partial void RedisRepliesMixedUp(this ILogger logger);

    [LoggerMessage(EventId = 5007, EventName = "RedisConnectionReplaced", Level = LogLevel.Warning,
        Message = "The client of Redis had lost its connection and would not make another one, a fault of the client; it was replaced. A newer StackExchange.Redis is less likely to do so.")]
    internal static partial void RedisConnectionReplaced(this ILogger logger);

    [LoggerMessage(EventId = 5010, EventName = "NodeRecordUnreadable", Level = LogLevel.Warning,
        Message = "The node directory holds a record that this version cannot read, of node {Node}; that node is left out. Told once.")]
    internal static partial void NodeRecordUnreadable(this ILogger logger, string node);
}
