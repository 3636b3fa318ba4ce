namespace Affinity.Nodes;

/// <summary>What to tell HAProxy at this moment, from memory. Safe for concurrent use.</summary>
internal sealed class AgentReport(NodeMembership node, NodeHealth health, DrainOptions drain, AgentCheckOptions options, TimeProvider time)
{
    private readonly Lock _oneAtATime = new();
    private AgentWeight _weight = AgentWeight.Start;
    private long _weighed = time.GetTimestamp();
    private volatile bool _serves;

    /// <summary>The server takes requests from now on.</summary>
    public void BeginServing() => _serves = true;

    /// <summary>One line of <see cref="AgentWord"/>.</summary>
    public string Now()
    {
        var evacuated = node.IsStopping && node.DrainingFor >= drain.Notice + drain.Evacuation && node.HasActivePeers;
        return AgentWord.Of(health.Ready(), _serves, evacuated, Percent());
    }

    private int Percent()
    {
        if (!options.Weight)
        {
            return AgentWeight.Highest;
        }

        var self = node.ToRecord();
        var (load, mean) = (NodeLoad.Of(self), NodeLoad.Mean(self, node.Live));
        lock (_oneAtATime)
        {
            var now = time.GetTimestamp();
            _weight = _weight.After(time.GetElapsedTime(_weighed, now), load, mean);
            _weighed = now;
            return _weight.Percent;
        }
    }
}
