namespace Affinity.Nodes;

/// <summary>
/// Which nodes live. A backend implements it; <c>NodeDirectoryConformance</c> in the test kit is its executable specification.
/// All members may be called concurrently and from any node.
/// </summary>
/// <remarks>
/// Only the directory's own clock decides who is dead: nodes hand over durations, never points in time.
/// Every fault is a <see cref="NodeDirectoryException"/>; the token ends a call at once, whether or not the backend has answered.
/// </remarks>
public interface INodeDirectory
{
    /// <summary>
    /// Says that <paramref name="self"/> lives and reads who else does, in one round trip and one atomic step.
    /// A record that is not renewed within its <paramref name="deadAfter"/> is gone from every later answer.
    /// </summary>
    /// <param name="self">What to tell the others. Replaces the former record of the same id and incarnation.</param>
    /// <param name="deadAfter">How long this record counts as living; greater than zero, at most 30 days.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>
    /// <see cref="NodeBeat.Accepted"/> is false, and nothing was written, when another incarnation of the same id lives.
    /// <see cref="NodeBeat.Live"/> holds every living node in ordinal order of id: with the caller when it was accepted, else with the one that holds its name.
    /// </returns>
    ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a node off at once. Nothing happens when the id is not there or belongs to another incarnation.
    /// </summary>
    ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken);

    /// <summary>
    /// Leaves a wish for a living node, which learns of it with its next beat. The last wish stands for as long as this incarnation of the node lives, and ends with it: a node that restarts has none.
    /// </summary>
    /// <param name="id">For which node; it may be the caller's own.</param>
    /// <param name="wish">What it should do.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>False, and nothing was written, when no such node lives.</returns>
    ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken);
}

/// <summary>The answer to a beat.</summary>
/// <param name="Accepted">Whether the caller holds its name.</param>
/// <param name="Live">Every living node, in ordinal order of id.</param>
public sealed record NodeBeat(bool Accepted, IReadOnlyList<NodeRecord> Live)
{
    /// <summary>What somebody has last asked of the caller; null: nothing.</summary>
    public NodeWish? Wish { get; init; }

    /// <summary>Whether the caller's former record, of the same incarnation, was still there. At the first beat it was not; later that means that it ran out, or that the directory has lost it.</summary>
    public bool Renewed { get; init; }

    /// <summary>Names the history of what the backend holds: another one than before means that it failed over or began anew, and may have lost what it had acknowledged. Null: it does not tell.</summary>
    public string? History { get; init; }
}

/// <summary>What an operator asks of a node.</summary>
public enum NodeWish
{
    /// <summary>Drain: take no new visitors, send the bound ones to other nodes, go on serving.</summary>
    Drain,

    /// <summary>Take visitors again.</summary>
    Serve,
}
