using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>Leaves an operator's command for any node in the directory. What is answered as accepted has been stored.</summary>
internal sealed class NodeCommands(INodeDirectory directory, NodeMembership node, Heartbeat heartbeat, NodeOptions options, TimeProvider time, ILogger<NodeCommands> logger)
{
    /// <summary>Asks a node to drain or to take visitors again. This node follows before the answer, another one with its next beat.</summary>
    /// <exception cref="OperationCanceledException">The caller's token ended it; the command may have been stored.</exception>
    public async Task<NodeCommandResult> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken)
    {
        var word = WordOf(wish);

        // What is known of the others is up to a beat old, and one that has just been told to stop cannot be promised to take visitors.
        await heartbeat.BeatAsync(cancellationToken);
        if (wish == NodeWish.Serve && Find(id) is { Stopping: true } stopping)
        {
            return new(NodeCommandOutcome.Stopping, stopping);
        }

        try
        {
            using var limit = new CancellationTokenSource(options.CallLimit, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            if (!await directory.AskAsync(id, wish, either.Token))
            {
                return new(NodeCommandOutcome.NotLiving, Node: null);
            }
        }
        catch (Exception fault) when (!cancellationToken.IsCancellationRequested)
        {
            logger.NodeCommandNotConfirmed(fault, id.Value, word);
            return new(NodeCommandOutcome.NotConfirmed, Node: null);
        }

        logger.NodeCommandAccepted(id.Value, word);
        await heartbeat.BeatAsync(cancellationToken);
        return new(NodeCommandOutcome.Accepted, Find(id)) { NobodyElseServes = node.Sight != PeerSight.Blind && !OthersServe(id) };
    }

    public static string WordOf(NodeWish wish) => wish == NodeWish.Drain ? "drain" : "undrain";

    /// <summary>What follows from an accepted command, in one sentence for the operator.</summary>
    public static string NextAfter(NodeWish wish, NodeCommandResult result) => (wish, result.Node) switch
    {
        (NodeWish.Drain, { Stopping: true }) => "It is stopping and takes no visitors already.",
        (NodeWish.Drain, _) when result.NobodyElseServes => "It drains, at the latest with its next heartbeat, but no other node takes visitors: it stays ready and serves them until another one does. Start or undrain one first.",
        (NodeWish.Drain, { State: NodeState.Draining }) => "It drains: its readiness says no, its visitors are sent to other nodes, and it goes on serving until it is stopped or undrained.",
        (NodeWish.Drain, _) => "It drains with its next heartbeat: its readiness says no, its visitors are sent to other nodes, and it goes on serving until it is stopped or undrained.",
        _ => "It takes visitors, at the latest with its next heartbeat.",
    };

    private bool OthersServe(NodeId id) =>
        (node.Self != id && node.ToldState == NodeState.Active) || node.Live.Any(record => record.Id != id && record.Id != node.Self && record.State == NodeState.Active);

    private NodeRecord? Find(NodeId id)
    {
        if (id == node.Self && node.HasJoined)
        {
            return node.ToRecord();
        }

        foreach (var record in node.Live)
        {
            if (record.Id == id)
            {
                return record;
            }
        }

        return null;
    }
}

/// <summary>What became of a command.</summary>
internal enum NodeCommandOutcome
{
    /// <summary>It is stored; the node follows.</summary>
    Accepted,

    /// <summary>No such node lives; nothing was stored.</summary>
    NotLiving,

    /// <summary>The node was told to stop, from which there is no way back; nothing was stored.</summary>
    Stopping,

    /// <summary>The directory did not answer in time: whether it is stored is not known.</summary>
    NotConfirmed,
}

/// <param name="Outcome">What became of it.</param>
/// <param name="Node">The node as last seen, when it was accepted or refused for its state; null when it could not be read.</param>
internal readonly record struct NodeCommandResult(NodeCommandOutcome Outcome, NodeRecord? Node)
{
    /// <summary>Whether it is known that no node but this one takes visitors.</summary>
    public bool NobodyElseServes { get; init; }
}
