using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 6000, EventName = "InProcessBackend", Level = LogLevel.Warning,
        Message = "No shared store is configured, so sessions live in this process: right for one instance in development, and lost with it. "
            + "For more instances set ConnectionStrings:redis, for example to \"localhost:6379\", or ConnectionStrings:affinity-db with the package Affinity.Postgres.")]
    public static partial void InProcessBackend(this ILogger logger);

    [LoggerMessage(EventId = 6001, EventName = "FrameworkSessionRegistered", Level = LogLevel.Warning,
        Message = "AddSession() is called as well. If UseSession() is too, HttpContext.Session is the framework's and not Affinity's: remove both lines, AddAffinity() provides the session.")]
    public static partial void FrameworkSessionRegistered(this ILogger logger);

    [LoggerMessage(EventId = 6002, EventName = "UnknownSetting", Level = LogLevel.Warning,
        Message = "The setting {Setting} is not known and has no effect: check its spelling. (A list is written with numbers: Affinity:Secrets:0.)")]
    public static partial void UnknownSetting(this ILogger logger, string setting);

    [LoggerMessage(EventId = 6003, EventName = "SessionsInCookies", Level = LogLevel.Information,
        Message = "Sessions ride in the visitors' cookies ({Protection}, at most {MaxBytes} characters). Instances share: {Shared}. What the store keeps of sessions: {Floor}. "
            + "Nodes know of each other: {Directory}.")]
    public static partial void SessionsInCookies(this ILogger logger, string protection, int maxBytes, string shared, string floor, string directory);

    [LoggerMessage(EventId = 6004, EventName = "CookieKeysNotShared", Level = LogLevel.Warning,
        Message = "Sessions in cookies are encrypted with Data Protection keys that lie where the framework puts them by default, which instances on other machines and in containers do not see: they would answer 503. "
            + "Share a directory (Affinity:KeyDirectory), or set Affinity:Sessions:Cookie:Protection to Sign.")]
    public static partial void CookieKeysNotShared(this ILogger logger);

    [LoggerMessage(EventId = 6005, EventName = "EndpointsOpen", Level = LogLevel.Warning,
        Message = "Anybody may see and drain the nodes and inspect cookies: Affinity:Endpoints:AllowAnonymousInDevelopment is on and the environment is Development. Never where others reach this app.")]
    public static partial void EndpointsOpen(this ILogger logger);

    [LoggerMessage(EventId = 6010, EventName = "CrossSiteCommandRefused", Level = LogLevel.Debug,
        Message = "A command to a node was refused, as a page of another site sent it.")]
    public static partial void CrossSiteCommandRefused(this ILogger logger);

    [LoggerMessage(EventId = 6011, EventName = "CrossSiteInspectionRefused", Level = LogLevel.Debug,
        Message = "A cookie was not inspected, as a page of another site sent it.")]
    public static partial void CrossSiteInspectionRefused(this ILogger logger);
}
