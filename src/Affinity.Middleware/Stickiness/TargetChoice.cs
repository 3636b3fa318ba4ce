using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>
/// Which peer gets a visitor: of two that are drawn at random the one with less load (M. Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 2001).
/// The least loaded of all would get everybody from every node until the next beat.
/// </summary>
internal static class TargetChoice
{
    /// <summary>An active peer on the track; if there is none any active peer; if there is none null.</summary>
    /// <param name="live">The living nodes.</param>
    /// <param name="self">This node, which is never chosen.</param>
    /// <param name="track">The version that the visitor is to see; null: any.</param>
    /// <param name="random">Uniform over all values.</param>
    public static NodeRecord? Choose(IReadOnlyList<NodeRecord> live, NodeId self, string? track, ulong random) =>
        (track is null ? null : ChooseOn(live, self, track, random, double.PositiveInfinity)) ?? ChooseAny(live, self, random);

    /// <summary>An active peer on exactly this track (null: on none) whose load is below a limit; null if there is none.</summary>
    public static NodeRecord? ChooseOn(IReadOnlyList<NodeRecord> live, NodeId self, string? track, ulong random, double below) =>
        Draw(live, node => node.Id != self && node.State == NodeState.Active && string.Equals(node.Track, track, StringComparison.Ordinal) && NodeLoad.Of(node) < below, random);

    private static NodeRecord? ChooseAny(IReadOnlyList<NodeRecord> live, NodeId self, ulong random) =>
        Draw(live, node => node.Id != self && node.State == NodeState.Active, random);

    private static NodeRecord? Draw(IReadOnlyList<NodeRecord> live, Func<NodeRecord, bool> isCandidate, ulong random)
    {
        var candidates = live.Where(isCandidate).ToArray();
        if (candidates.Length < 2)
        {
            return candidates.FirstOrDefault();
        }

        // Two different places out of one number: the upper half draws among all, the lower half among the others.
        var first = Place(random >> 32, candidates.Length);
        var second = Place(random & uint.MaxValue, candidates.Length - 1);
        if (second >= first)
        {
            second++;
        }

        return NodeLoad.Of(candidates[first]) <= NodeLoad.Of(candidates[second]) ? candidates[first] : candidates[second];
    }

    // Multiply and shift: uniform to within one part in four thousand million for any number of nodes.
    private static int Place(ulong half, int count) => (int)((half * (ulong)count) >> 32);
}
