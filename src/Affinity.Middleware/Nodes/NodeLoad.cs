namespace Affinity.Nodes;

/// <summary>How much a node has to do, in bound visitors.</summary>
internal static class NodeLoad
{
    /// <summary>
    /// What a request in flight counts as. A visitor who reads pages has one in flight for about a hundredth of the time, so with 100 both parts would weigh the same; but the number in flight
    /// is a snapshot that wanders by its square root. With 10 the bindings lead, and a node on which requests pile up still loses every comparison.
    /// </summary>
    public const int PerRequest = 10;

    public static long Of(NodeRecord node) => node.Bound + ((long)PerRequest * node.InFlight);

    /// <summary>The mean of the active nodes of this node's track, itself included; 0 when there is none. Another track's share of visitors is meant to differ.</summary>
    public static double Mean(NodeRecord self, IReadOnlyList<NodeRecord> live)
    {
        var (sum, count) = self.State == NodeState.Active ? (Of(self), 1) : (0, 0);
        foreach (var node in live)
        {
            if (node.Id != self.Id && node.State == NodeState.Active && string.Equals(node.Track, self.Track, StringComparison.Ordinal))
            {
                sum += Of(node);
                count++;
            }
        }

        return count == 0 ? 0 : (double)sum / count;
    }
}
