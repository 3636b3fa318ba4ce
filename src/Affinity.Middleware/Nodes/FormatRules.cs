namespace Affinity.Nodes;

/// <summary>
/// In which form nodes of several releases write what they share. The forms of one time together are a <em>level</em>: stored sessions, tickets, journals, bindings and key elements. A release reads all levels up to its
/// own, tells the directory which that is, and writes the lowest that any living node has told: so a rolling upgrade never writes what a node that still serves cannot read.
/// </summary>
internal static class FormatRules
{
    /// <summary>The level of a node that tells none, and of a farm of which nothing is known.</summary>
    public const int First = 1;

    /// <summary>What this release reads and may write. A release that changes a form raises it, and goes on writing the former form while it is told to.</summary>
    public const int Newest = 1;

    /// <summary>What a node writes.</summary>
    /// <param name="newest">What it could write.</param>
    /// <param name="live">Who lives, itself included; empty when that is not known.</param>
    public static int ToWrite(int newest, IReadOnlyList<NodeRecord> live) => live.Count == 0 ? First : Math.Clamp(live.Min(node => node.FormatLevel), First, newest);
}
