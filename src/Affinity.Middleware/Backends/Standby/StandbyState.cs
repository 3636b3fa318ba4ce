using Affinity.Nodes;

namespace Affinity.Backends.Standby;

/// <summary>What this node knows of the two stores. Safe for concurrent use; asked before and after every call, so it costs one lock and a few comparisons.</summary>
internal sealed class StandbyState(StandbyTimes times, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly long _began = time.GetTimestamp();
    private HashSet<NodeId> _known = [];
    private StandbyOrder _order;
    private TimeSpan _orderAge = StandbyLedger.Kept;
    private long _orderHeard = time.GetTimestamp();
    private long? _orderAsked;
    private long? _firstAsked;
    private long? _nodesAsked;
    private bool _missesNode;

    public StandbyTimes Times => times;

    public StandbyOrder Order
    {
        get
        {
            lock (_gate)
            {
                return _order;
            }
        }
    }

    public StandbyDecision Decide() => StandbyRules.Decide(Facts(), times);

    public StandbyFacts Facts()
    {
        lock (_gate)
        {
            var now = time.GetTimestamp();
            return new StandbyFacts
            {
                Order = _order,
                OrderAge = _orderAge + time.GetElapsedTime(_orderHeard, now),
                OrderRead = Since(_orderAsked, now),
                FirstAnswered = Since(_firstAsked, now),
                FirstNodesRead = Since(_nodesAsked, now),
                MissesNode = _missesNode,
                Running = time.GetElapsedTime(_began, now),
            };
        }
    }

    /// <summary>The standby has answered what the order is.</summary>
    /// <param name="reading">The answer.</param>
    /// <param name="asked">A timestamp from before the question: whoever wrote another one since did so after this.</param>
    public void OrderRead(StandbyReading reading, long asked)
    {
        lock (_gate)
        {
            _orderAsked = asked;
            Learn(reading);
        }
    }

    /// <summary>The first store has answered, with the order that was left there.</summary>
    public void FirstAnswered(StandbyReading reading, long asked)
    {
        lock (_gate)
        {
            _firstAsked = asked;
            Learn(reading);
        }
    }

    /// <summary>The first store has said which nodes live there. Those that drain leave of their own will.</summary>
    public void FirstNodes(IEnumerable<NodeRecord> live, NodeId self, long asked)
    {
        lock (_gate)
        {
            _nodesAsked = asked;
            var others = live.Where(node => node.Id != self && node.State == NodeState.Active).Select(node => node.Id).ToHashSet();
            var all = live.Select(node => node.Id).ToHashSet();
            if (Since(_orderAsked, time.GetTimestamp()) < times.Lease)
            {
                (_known, _missesNode) = (others, false);
            }
            else
            {
                _missesNode = !_known.IsSubsetOf(all);
                _known.UnionWith(others);
                _known.RemoveWhere(id => all.Contains(id) && !others.Contains(id));
            }
        }
    }

    private void Learn(StandbyReading reading)
    {
        // Of one order the older copy counts: that at the other store was left there later.
        if (reading.Order.Epoch > _order.Epoch || (reading.Order == _order && reading.Age > _orderAge + time.GetElapsedTime(_orderHeard)))
        {
            (_order, _orderAge, _orderHeard) = (reading.Order, reading.Age, time.GetTimestamp());
        }
    }

    private TimeSpan? Since(long? asked, long now) => asked is { } timestamp ? time.GetElapsedTime(timestamp, now) : null;
}
