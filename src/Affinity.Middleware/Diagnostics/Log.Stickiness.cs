using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 3000, EventName = "BalancerDoesNotObey", Level = LogLevel.Warning,
        Message = "In the last minute and the one before the balancer did not lead visitors to their nodes: {Misrouted} of {Requests} requests of bound visitors ({Percent} %) {Symptom}. {Cure} "
            + "Nothing is lost, as any node serves any visitor, but such a request costs what the binding should save. Told once.")]
    internal static partial void BalancerDoesNotObey(this ILogger logger, int misrouted, int requests, int percent, string symptom, string cure);

    [LoggerMessage(EventId = 3001, EventName = "ApplicationCookieNotEverywhere", Level = LogLevel.Warning,
        Message = "The app issues {Name}, which bindings follow (Affinity:Stickiness:ApplicationCookie), with a path that not all requests have: each request without the cookie ends the binding. "
            + "Issue it with Path=/. Nothing is lost. Told once.")]
    internal static partial void ApplicationCookieNotEverywhere(this ILogger logger, string name);

    [LoggerMessage(EventId = 3010, EventName = "VisitorReassigned", Level = LogLevel.Debug,
        Message = "Node {Node} has sent a visitor to node {Target}: {Reason}.")]
    internal static partial void VisitorReassigned(this ILogger logger, string node, string target, string reason);
}
