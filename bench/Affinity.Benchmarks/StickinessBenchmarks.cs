using Affinity.Nodes;
using Affinity.Stickiness;
using BenchmarkDotNet.Attributes;

namespace Affinity.Benchmarks;

/// <summary>The rules by themselves, with ten live nodes: a visitor of this node, a new one, and one whose node is gone.</summary>
public class StickinessBenchmarks
{
    private StickinessFacts _here;
    private StickinessFacts _unbound;
    private StickinessFacts _gone;

    [GlobalSetup]
    public void Begin()
    {
        var nodes = Enumerable.Range(0, 10).Select(i => new NodeRecord(NodeId.Parse("node-" + i), Guid.NewGuid(), NodeState.Active, InFlight: i)).ToArray();
        _here = new StickinessFacts
        {
            Options = new StickinessOptions(),
            Route = RouteReading.Named(nodes[0].Id),
            Self = nodes[0],
            Live = nodes,
            Now = DateTimeOffset.UtcNow,
            Something = true,
        };
        _unbound = _here with { Route = RouteReading.Absent };
        _gone = _here with { Route = RouteReading.Named(NodeId.Parse("gone")) };
        Expect(_here, DecisionKind.Keep);
        Expect(_unbound, DecisionKind.Assign);
        Expect(_gone, DecisionKind.Reassign);
    }

    [Benchmark]
    public bool KeepHere() => StickinessRules.Decide(_here).Target is null;

    [Benchmark]
    public bool AssignNew() => StickinessRules.Decide(_unbound).Target is null;

    [Benchmark]
    public bool ReassignGone() => StickinessRules.Decide(_gone).Target is null;

    private static void Expect(in StickinessFacts facts, DecisionKind kind)
    {
        if (StickinessRules.Decide(facts).Kind != kind)
        {
            throw new InvalidOperationException($"The rules do not answer {kind}.");
        }
    }
}
