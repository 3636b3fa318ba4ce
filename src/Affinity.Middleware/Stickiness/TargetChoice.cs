using System.Diagnostics;
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
    /// <param name="track">The version that the visitor is to see; null: that of nodes on none.</param>
    /// <param name="random">Uniform over all values.</param>
    public static NodeRecord? Choose(IReadOnlyList<NodeRecord> live, NodeId self, string? track, ulong random) =>
        ChooseOn(live, self, track, random, double.PositiveInfinity) ?? ChooseAny(live, self, random);

    /// <summary>An active peer on exactly this track (null: on none) whose load is below a limit; null if there is none.</summary>
    public static NodeRecord? ChooseOn(IReadOnlyList<NodeRecord> live, NodeId self, string? track, ulong random, double below) =>
        Draw(live, new Wanted(self, AnyTrack: false, track, below), random);

    private static NodeRecord? ChooseAny(IReadOnlyList<NodeRecord> live, NodeId self, ulong random) =>
        Draw(live, new Wanted(self, AnyTrack: true, Track: null, double.PositiveInfinity), random);

    // Counts and then counts again up to the place: a draining node draws with each request, and a list of candidates would be new each time.
    private static NodeRecord? Draw(IReadOnlyList<NodeRecord> live, in Wanted wanted, ulong random)
    {
        var count = 0;
        for (var i = 0; i < live.Count; i++)
        {
            count += wanted.Takes(live[i]) ? 1 : 0;
        }

        if (count < 2)
        {
            return count == 0 ? null : At(live, wanted, 0);
        }

        // Two different places out of one number: the upper half draws among all, the lower half among the others.
        var first = Place(random >> 32, count);
        var second = Place(random & uint.MaxValue, count - 1);
        var (one, other) = (At(live, wanted, first), At(live, wanted, second >= first ? second + 1 : second));
        return NodeLoad.Of(one) <= NodeLoad.Of(other) ? one : other;
    }

    private static NodeRecord At(IReadOnlyList<NodeRecord> live, in Wanted wanted, int place)
    {
        for (var i = 0; i < live.Count; i++)
        {
            if (wanted.Takes(live[i]) && place-- == 0)
            {
                return live[i];
            }
        }

        throw new UnreachableException();
    }

    // Multiply and shift: uniform to within one part in four thousand million for any number of nodes.
    private static int Place(ulong half, int count) => (int)((half * (ulong)count) >> 32);

    private readonly record struct Wanted(NodeId Self, bool AnyTrack, string? Track, double Below)
    {
        public bool Takes(NodeRecord node) =>
            node.Id != Self && node.State == NodeState.Active && (AnyTrack || string.Equals(node.Track, Track, StringComparison.Ordinal)) && NodeLoad.Of(node) < Below;
    }
}
