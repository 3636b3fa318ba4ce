using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

/// <summary>
/// 10,000 visitors on 4 nodes, then 4 nodes more. Each visitor makes a request about every 10 seconds; nodes hear of each other once a second; requests in flight are random.
/// Seeded: the same figures every time.
/// </summary>
public sealed class LoadReleaseSimulation
{
    private const int Visitors = 10_000;
    private const int Nodes = 8;
    private const int Mean = Visitors / Nodes;

    private readonly ManualTime _time = new(Now);
    private readonly Random _random = new(20260101);
    private readonly StickinessOptions _options = new() { ReleaseAbove = 1.1 };
    private readonly int[] _home = new int[Visitors];
    private readonly int[] _moves = new int[Visitors];
    private readonly int[] _bound = new int[Nodes];
    private readonly LoadRelease[] _release = Enumerable.Repeat(LoadRelease.Start, Nodes).ToArray();

    [Fact]
    public void After_doubling_the_nodes_the_spread_is_within_15_percent_in_12_intervals_and_nobody_moves_twice()
    {
        for (var visitor = 0; visitor < Visitors; visitor++)
        {
            _home[visitor] = visitor % 4;
            _bound[visitor % 4]++;
        }

        int? even = null;
        for (var interval = 1; interval <= 40; interval++)
        {
            var before = _bound.ToArray();
            for (var second = 0; second < 10; second++)
            {
                Second();
                _time.Advance(TimeSpan.FromSeconds(1));
            }

            // At most the stated share leaves a node in an interval, and no node is emptied below the mean or filled far above it.
            Assert.All(_bound.Zip(before), pair => Assert.True(pair.Second - pair.First <= Math.Ceiling(pair.Second * _options.ReleaseShare)));
            Assert.All(_bound.Take(4), bound => Assert.True(bound >= Mean * 0.95));
            Assert.All(_bound.Skip(4), bound => Assert.True(bound <= Mean * 1.1));
            if (even is null && _bound.All(bound => Math.Abs(bound - Mean) <= 0.15 * Mean))
            {
                even = interval;
            }
        }

        Assert.Equal(12, even);
        Assert.All(_bound, bound => Assert.InRange(bound, 0.85 * Mean, 1.15 * Mean));
        Assert.Equal(1, _moves.Max());
        Assert.InRange(_moves.Sum(), 4 * Mean * 0.85, 4 * Mean);
    }

    private void Second()
    {
        var live = Enumerable.Range(0, Nodes).Select(Record).ToArray();
        for (var request = 0; request < Visitors / 10; request++)
        {
            var visitor = _random.Next(Visitors);
            var home = _home[visitor];
            var self = Record(home);
            _release[home] = _release[home].At(_time, self, live, _options);
            var decision = StickinessRules.Decide(Visitor(_options) with
            {
                Self = self, Live = live, Now = _time.GetUtcNow(), Route = RouteReading.Named(self.Id), ReleaseLoad = _release[home].Left > 0, Random = (ulong)_random.NextInt64(long.MinValue, long.MaxValue),
            });
            if (decision.Kind == DecisionKind.Keep)
            {
                continue;
            }

            Assert.Equal((DecisionKind.Reassign, StickinessReason.Load), (decision.Kind, decision.Reason));
            _release[home] = _release[home].Spend();
            _home[visitor] = decision.Target!.Id.Value[0] - 'a';
            _moves[visitor]++;
            _bound[home]--;
            _bound[_home[visitor]]++;
        }
    }

    private NodeRecord Record(int node) =>
        Node(((char)('a' + node)).ToString(), bound: _bound[node]) with { InFlight = Poisson(_bound[node] / 100.0) };

    // About a hundredth of a node's visitors have a request in flight at a time; independent of each other, so the number is Poisson's (Knuth's way to draw it).
    private int Poisson(double mean)
    {
        var (count, product, limit) = (0, _random.NextDouble(), Math.Exp(-mean));
        for (; product > limit; product *= _random.NextDouble())
        {
            count++;
        }

        return count;
    }
}
