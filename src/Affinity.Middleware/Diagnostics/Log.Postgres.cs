using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6100, EventName = "PostgresConnected", Level = LogLevel.Information, Message = "Connected to PostgreSQL; the tables are in the schema {Schema}.")]
    internal static partial void PostgresConnected(this ILogger logger, string schema);

    [LoggerMessage(EventId = 6101, EventName = "PostgresNotReachable", Level = LogLevel.Warning,
        Message = "PostgreSQL cannot be used ({Reason}) It is tried again by itself with every call.")]
    internal static partial void PostgresNotReachable(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6102, EventName = "PostgresLoginRefused", Level = LogLevel.Error,
        Message = "PostgreSQL refuses the user, password or database of the connection string. Set it right (ConnectionStrings:affinity-db) here or there; it is tried again all the while.")]
    internal static partial void PostgresLoginRefused(this ILogger logger);

    [LoggerMessage(EventId = 6103, EventName = "PostgresSchemaMade", Level = LogLevel.Information,
        Message = "The tables in the schema {Schema} of PostgreSQL were made or upgraded: from {Before} to {Now}.")]
    internal static partial void PostgresSchemaMade(this ILogger logger, string schema, int before, int now);

    [LoggerMessage(EventId = 6104, EventName = "PostgresSchemaUnfit", Level = LogLevel.Error, Message = "{Reason}")]
    internal static partial void PostgresSchemaUnfit(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6105, EventName = "PostgresAnnouncementsNotHeard", Level = LogLevel.Warning,
        Message = "Other nodes cannot tell this one that a session has ended, as listening to PostgreSQL failed: {Reason} It is tried again each second. Until then an ended session is refused here after Affinity:Sessions:NearCache:MaxAge. LISTEN does not work through a pooler that shares connections between transactions.")]
    internal static partial void PostgresAnnouncementsNotHeard(this ILogger logger, string reason);

    [LoggerMessage(EventId = 6106, EventName = "PostgresNodeRecordUnreadable", Level = LogLevel.Warning,
        Message = "The node directory in PostgreSQL holds a row that this version cannot read; that node is left out. Told once.")]
    internal static partial void PostgresNodeRecordUnreadable(this ILogger logger);

    [LoggerMessage(EventId = 6107, EventName = "PostgresReplicaLeft", Level = LogLevel.Warning,
        Message = "The replica {Number} of PostgreSQL is not read for the time being: {Reason} The primary answers for it.")]
    internal static partial void PostgresReplicaLeft(this ILogger logger, int number, string reason);

    [LoggerMessage(EventId = 6108, EventName = "PostgresReplicaUsed", Level = LogLevel.Information, Message = "The replica {Number} of PostgreSQL is near enough to the primary and is read.")]
    internal static partial void PostgresReplicaUsed(this ILogger logger, int number);

    [LoggerMessage(EventId = 6110, EventName = "PostgresSwept", Level = LogLevel.Debug, Message = "{Rows} expired sessions were removed from PostgreSQL in {Duration}.")]
    internal static partial void PostgresSwept(this ILogger logger, long rows, TimeSpan duration);

    [LoggerMessage(EventId = 6111, EventName = "PostgresSweepFailed", Level = LogLevel.Warning,
        Message = "Expired sessions could not be removed from PostgreSQL: {Reason} Nobody is served one, but the table grows. It is tried again at each interval; told once until it works again.")]
    internal static partial void PostgresSweepFailed(this ILogger logger, string reason);
}
