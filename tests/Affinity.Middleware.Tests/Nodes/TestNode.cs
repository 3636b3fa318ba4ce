using Affinity.Nodes;
using Affinity.TestKit;

namespace Affinity.Tests.Nodes;

/// <summary>A node that no host has set up.</summary>
internal static class TestNode
{
    /// <param name="time">The clock; without one, one that stands still.</param>
    /// <param name="name">The node's name.</param>
    /// <param name="sight">What its directory can tell of others.</param>
    /// <param name="serves">Whether it has started.</param>
    /// <param name="countsAll">Whether nobody is bound without a session.</param>
    /// <param name="phase">How many intervals after the first beat the second one comes; one, so that a test moves its clock by intervals.</param>
    public static NodeMembership Create(TimeProvider? time = null, string name = "node-a", PeerSight sight = PeerSight.All, bool serves = true, bool countsAll = true, double phase = 1)
    {
        time ??= new ManualTime();
        var node = new NodeMembership(NodeId.Parse(name), new BoundVisitors(TimeSpan.FromMinutes(20), time) { LeavesSomeOut = !countsAll }, time) { Sight = sight, Phase = phase };
        if (serves)
        {
            node.BeginServing();
        }

        return node;
    }
}
