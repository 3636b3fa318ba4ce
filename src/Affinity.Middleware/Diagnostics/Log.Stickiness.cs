using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 3000, EventName = "BalancerDoesNotObey", Level = LogLevel.Warning,
        Message = "In the last minute and the one before the balancer did not lead visitors to their nodes: {Misrouted} of {Requests} requests of bound visitors ({Percent} %) {Symptom}. {Cure} "
            + "Nothing is lost, as any node serves any visitor, but such a request costs what the binding should save. Told once.")]
    internal static partial void BalancerDoesNotObey(this ILogger logger, int misrouted, int requests, int percent, string symptom, string cure);

    [LoggerMessage(EventId = 3002, EventName = "RouteValueNotMade", Level = LogLevel.Warning,
        Message = "The dialect {Dialect} makes no route cookie for node {Node}: it failed, or gave something else than 1 to {Most} cookie octets (RFC 6265). Visitors are served as ever, but none is sent to that node by name. "
            + "Let its Write know every node that this one can meet, those that are yet to come too. Told once per node.")]
    internal static partial void RouteValueNotMade(this ILogger logger, Exception? fault, string dialect, string node, int most);

    [LoggerMessage(EventId = 3003, EventName = "RouteValueNotRead", Level = LogLevel.Warning,
        Message = "The dialect {Dialect} failed on the value of a route cookie, which counts as one that names no node. A client can send anything: its Read must answer Unrecognised and not throw. Told once.")]
    internal static partial void RouteValueNotRead(this ILogger logger, Exception fault, string dialect);

    [LoggerMessage(EventId = 3010, EventName = "VisitorReassigned", Level = LogLevel.Debug,
        Message = "Node {Node} has sent a visitor to node {Target}: {Reason}.")]
    internal static partial void VisitorReassigned(this ILogger logger, string node, string target, string reason);
}
