using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>
/// How many bindings this node may still give away: judged once per interval, at most a share of what it has, never more than it has above the mean. Immutable; its owner replaces it, under a lock
/// that also spans the decision and <see cref="Spend"/>, or two requests spend the same binding.
/// </summary>
/// <param name="Judged">When the load was judged, as a timestamp of the clock that nobody sets; null: never.</param>
/// <param name="Left">How many bindings may be released until it is judged again.</param>
internal sealed record LoadRelease(long? Judged, int Left)
{
    public static LoadRelease Start { get; } = new(Judged: null, 0);

    /// <summary>This state, or that of a new round when the interval has passed.</summary>
    public LoadRelease At(TimeProvider time, NodeRecord self, IReadOnlyList<NodeRecord> live, StickinessOptions options)
    {
        if (options.ReleaseAbove is not { } above)
        {
            return this;
        }

        var now = time.GetTimestamp();
        return Judged is { } judged && time.GetElapsedTime(judged, now) < options.ReleaseInterval ? this : new(now, Budget(self, live, above, options.ReleaseShare));
    }

    /// <summary>One binding was released.</summary>
    public LoadRelease Spend() => this with { Left = Math.Max(0, Left - 1) };

    private static int Budget(NodeRecord self, IReadOnlyList<NodeRecord> live, double above, double share)
    {
        var (load, mean) = (NodeLoad.Of(self), NodeLoad.Mean(self, live));
        if (self.State != NodeState.Active || load <= above * mean)
        {
            return 0;
        }

        // Rounded up, so that a node with few visitors gets rid of some too; down to the mean and not below, so that nobody is sent to and fro.
        return (int)Math.Min(Math.Ceiling(share * self.Bound), Math.Floor(load - mean));
    }
}
