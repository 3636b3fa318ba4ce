using Affinity.Nodes;

namespace Affinity.Backends.Memory;

/// <summary>The nodes of one process: in an app that is this node alone; in tests any number.</summary>
internal sealed class MemoryNodeDirectory(TimeProvider time) : INodeDirectory
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, (NodeRecord Record, TimeSpan Expires, NodeWish? Wish)> _nodes = new(StringComparer.Ordinal);
    private readonly MemoryClock _clock = new(time);

    public ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadAfter, TimeSpan.Zero);
        cancellationToken.ThrowIfCancellationRequested();
        var name = self.Id.Value;
        lock (_gate)
        {
            var now = _clock.Now;
            RemoveDead(now);
            var isHeld = _nodes.TryGetValue(name, out var holder);
            var accepted = !isHeld || holder.Record.Incarnation == self.Incarnation;
            if (accepted)
            {
                _nodes[name] = (self, MemoryClock.After(now, deadAfter), holder.Wish);
            }

            return ValueTask.FromResult(new NodeBeat(accepted, [.. _nodes.Values.Select(node => node.Record)]) { Wish = accepted ? holder.Wish : null, Renewed = isHeld && accepted });
        }
    }

    public ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = id.Value;
        lock (_gate)
        {
            if (_nodes.TryGetValue(name, out var holder) && holder.Record.Incarnation == incarnation)
            {
                _nodes.Remove(name);
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken)
    {
        if (!Enum.IsDefined(wish))
        {
            throw new ArgumentOutOfRangeException(nameof(wish), wish, "There is no such wish.");
        }

        cancellationToken.ThrowIfCancellationRequested();
        var name = id.Value;
        lock (_gate)
        {
            RemoveDead(_clock.Now);
            if (!_nodes.TryGetValue(name, out var holder))
            {
                return ValueTask.FromResult(false);
            }

            _nodes[name] = (holder.Record, holder.Expires, wish);
            return ValueTask.FromResult(true);
        }
    }

    private void RemoveDead(TimeSpan now)
    {
        foreach (var dead in _nodes.Where(node => node.Value.Expires <= now).Select(node => node.Key).ToArray())
        {
            _nodes.Remove(dead);
        }
    }
}
