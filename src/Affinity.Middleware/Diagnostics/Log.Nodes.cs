using System.Net;
using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 1000, EventName = "NodeJoined", Level = LogLevel.Information,
        Message = "Node {Node} has joined; {LiveNodes} node(s) live.")]
    internal static partial void NodeJoined(this ILogger logger, string node, int liveNodes);

    [LoggerMessage(EventId = 1001, EventName = "NodeNameTaken", Level = LogLevel.Error,
        Message = "The node name {Node} belongs to another live node, so this one takes no visitors. Set Affinity:Node:Id to a name of its own. After a crash the name is free when {DeadAfter} have passed (Affinity:Node:DeadAfter), and this node then joins by itself.")]
    internal static partial void NodeNameTaken(this ILogger logger, string node, TimeSpan deadAfter);

    [LoggerMessage(EventId = 1002, EventName = "NodeDirectoryLost", Level = LogLevel.Warning,
        Message = "The node directory does not answer. A node that has joined goes on serving; one that has not is not ready. Tried again with every heartbeat; told again when it answers.")]
    internal static partial void NodeDirectoryLost(this ILogger logger, Exception fault);

    [LoggerMessage(EventId = 1003, EventName = "NodeDirectoryRestored", Level = LogLevel.Information,
        Message = "The node directory answers again after {Away}.")]
    internal static partial void NodeDirectoryRestored(this ILogger logger, TimeSpan away);

    [LoggerMessage(EventId = 1004, EventName = "NodeNotTakenOff", Level = LogLevel.Warning,
        Message = "Node {Node} could not be taken off the node directory; the others count it as dead after {DeadAfter}.")]
    internal static partial void NodeNotTakenOff(this ILogger logger, Exception fault, string node, TimeSpan deadAfter);

    [LoggerMessage(EventId = 1010, EventName = "DrainBegan", Level = LogLevel.Information,
        Message = "Node {Node} drains in order to stop: readiness says no, {InFlight} request(s) in flight, {Bound} visitor(s) bound. It serves on for {Notice} so that balancers notice, then for {Evacuation} to send bound visitors to other nodes: {Because}.")]
    internal static partial void DrainBegan(this ILogger logger, string node, int inFlight, int bound, TimeSpan notice, TimeSpan evacuation, string because);

    [LoggerMessage(EventId = 1013, EventName = "DrainAsked", Level = LogLevel.Information,
        Message = "Node {Node} drains by command: readiness says no if another node takes visitors, {Bound} visitor(s) bound; after {Notice} they too are sent to other nodes. It goes on serving, and takes visitors again when the command is taken back.")]
    internal static partial void DrainAsked(this ILogger logger, string node, int bound, TimeSpan notice);

    [LoggerMessage(EventId = 1014, EventName = "DrainTakenBack", Level = LogLevel.Information,
        Message = "Node {Node} takes visitors again: the command to drain was taken back.")]
    internal static partial void DrainTakenBack(this ILogger logger, string node);

    [LoggerMessage(EventId = 1015, EventName = "NodeCommandAccepted", Level = LogLevel.Information,
        Message = "The command to {Command} node {Node} was accepted here; the node follows with its next heartbeat.")]
    internal static partial void NodeCommandAccepted(this ILogger logger, string node, string command);

    [LoggerMessage(EventId = 1016, EventName = "NodeCommandNotConfirmed", Level = LogLevel.Warning,
        Message = "The command to {Command} node {Node} was answered with an error: the node directory did not confirm it. It can be sent again.")]
    internal static partial void NodeCommandNotConfirmed(this ILogger logger, Exception fault, string node, string command);

    [LoggerMessage(EventId = 1011, EventName = "DrainEnded", Level = LogLevel.Information,
        Message = "Node {Node} is drained after {Elapsed}: what was in flight has finished, and {Later} request(s) that came later finish while the server stops; {Requests} served in its life. {Bound} visitor(s) who made no request meanwhile are still bound to it; they move with their next one and lose nothing.")]
    internal static partial void DrainEnded(this ILogger logger, string node, TimeSpan elapsed, int later, long requests, int bound);

    [LoggerMessage(EventId = 1012, EventName = "DrainCutShort", Level = LogLevel.Warning,
        Message = "Node {Node} stops after {Elapsed} with {InFlight} request(s) in flight that began before the wait for them. Such long requests need a longer Affinity:Drain:Timeout and HostOptions.ShutdownTimeout.")]
    internal static partial void DrainCutShort(this ILogger logger, string node, TimeSpan elapsed, int inFlight);

    [LoggerMessage(EventId = 1030, EventName = "NodeSettingsDiffer", Level = LogLevel.Warning,
        Message = "Settings that all nodes must agree on differ: {Differences}. In a rolling change of them this ends with its last node; else give all nodes the same. The node goes on serving.")]
    internal static partial void NodeSettingsDiffer(this ILogger logger, string differences);

    [LoggerMessage(EventId = 1031, EventName = "NodeSettingsAgree", Level = LogLevel.Information, Message = "All nodes agree on the settings that they must agree on.")]
    internal static partial void NodeSettingsAgree(this ILogger logger);

    [LoggerMessage(EventId = 1020, EventName = "AgentCheckListens", Level = LogLevel.Information,
        Message = "HAProxy's agent-check is answered on {EndPoint}.")]
    internal static partial void AgentCheckListens(this ILogger logger, EndPoint endPoint);

    [LoggerMessage(EventId = 1021, EventName = "AgentCheckNotAccepted", Level = LogLevel.Warning,
        Message = "A connection for the agent-check could not be taken. HAProxy goes on with what it was told last, and the next one is tried. Told once.")]
    internal static partial void AgentCheckNotAccepted(this ILogger logger, Exception fault);
}
