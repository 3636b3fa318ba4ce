using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Nodes;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Stickiness.Rules;

/// <summary>This node is a of a, b and c. Each simulated visitor makes a request in every interval, for some minutes, behind a balancer that a test describes; decisions are those of the real rules.</summary>
public sealed class ObedienceWatchTests
{
    private readonly ManualTime _time = new();
    private readonly LogLines<ObedienceWatch> _log = new();
    private readonly StickinessOptions _options = new();
    private readonly NodeMembership _node;
    private readonly ObedienceWatch _watch;

    public ObedienceWatchTests()
    {
        _node = TestNode.Create(_time, "a");
        _node.Joined([Farm.Node("a"), Farm.Node("b"), Farm.Node("c")]);
        _watch = new(_options, _node, _time, _log);
    }

    [Fact]
    public void A_balancer_that_obeys_is_not_told_of()
    {
        Run(TimeSpan.FromMinutes(30), visitors: 100, every: 10, _ => Farm.Route("a"));
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void A_balancer_that_ignores_the_cookie_is_told_of_once_after_two_minutes()
    {
        Run(TimeSpan.FromSeconds(119), visitors: 60, every: 10, Scattered);
        Assert.Empty(_log.Events);
        Run(TimeSpan.FromMinutes(30), visitors: 60, every: 10, Scattered);
        Assert.Equal(["BalancerDoesNotObey"], _log.Events);
        var text = _log.TextOf("BalancerDoesNotObey");
        Assert.Contains(" of 360 requests of bound visitors (66 %) came to another node than the one that their cookie AFF names", text, StringComparison.Ordinal);
        Assert.Contains("\"cookie AFF insert preserve nocache\" and \"cookie <Affinity:Node:Id>\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Something_that_takes_the_cookie_off_is_told_of()
    {
        Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => RouteReading.Absent);
        Assert.Contains("\"indirect\"", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_balancer_that_puts_its_own_value_into_the_cookie_is_told_of()
    {
        Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => RouteReading.Unrecognised);
        Assert.Contains("Affinity:Stickiness:Ownership to Balancer", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_the_balancers_own_are_told_of_when_the_node_has_run_long_enough_to_know_all_names()
    {
        Run(TimeSpan.FromMinutes(10), visitors: 60, every: 10, _ => Farm.Route("server-1"));
        Assert.Empty(_log.Events);
        Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => Farm.Route("server-1"));
        Assert.Contains("Affinity:Node:Id", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
    }

    /// <summary>Half of those of c come here, once with the name of c, and stay. While c still counts as living this looks as if the balancer did not obey.</summary>
    [Theory]
    [InlineData(10, 0)]
    [InlineData(60, 30)]
    [InlineData(60, 58)]
    [InlineData(300, 0)]
    public void A_node_that_is_killed_is_a_fail_over_and_no_disobedience(int every, int second)
    {
        Run(TimeSpan.FromSeconds(120 + second), visitors: 300, every, _ => Farm.Route("a"));
        var (killed, moved) = (_time.GetUtcNow(), new HashSet<int>());
        Run(TimeSpan.FromMinutes(20), visitors: 450, every, visitor =>
        {
            if (_time.GetUtcNow() - killed > TimeSpan.FromSeconds(5) && _node.Live.Count == 3)
            {
                _node.Joined([Farm.Node("a"), Farm.Node("b")]);
            }

            return Farm.Route(visitor < 300 || !moved.Add(visitor) ? "a" : "c");
        });
        Assert.Equal(150, moved.Count);
        Assert.Empty(_log.Events);
    }

    /// <summary>Without a directory each node knows only itself: the names of its peers were told as "names of the balancer's own".</summary>
    [Fact]
    public void Without_a_directory_a_balancer_that_ignores_the_cookie_is_told_of_after_half_an_hour_with_the_doubt()
    {
        Alone();
        Run(TimeSpan.FromSeconds((30 * 60) - 1), visitors: 60, every: 10, Scattered);
        Assert.Empty(_log.Events);
        Run(TimeSpan.FromMinutes(30), visitors: 60, every: 10, Scattered);
        Assert.Equal(["BalancerDoesNotObey"], _log.Events);
        var text = _log.TextOf("BalancerDoesNotObey");
        Assert.Contains("(66 %) came to another node than the one that their cookie AFF names. Whether that node has just gone nobody knows", text, StringComparison.Ordinal);
        Assert.DoesNotContain("although that one lives", text, StringComparison.Ordinal);
    }

    /// <summary>One of three nodes: half of its visitors come here, one after the other, within their interval of five minutes; then they stay.</summary>
    [Theory]
    [InlineData(60)]
    [InlineData(300)]
    [InlineData(1100)]
    public void Without_a_directory_a_fail_over_is_no_disobedience(int every)
    {
        Alone();
        Run(TimeSpan.FromMinutes(12), visitors: 2 * every, every, _ => Farm.Route("a"));
        var moved = new HashSet<int>();
        Run(TimeSpan.FromMinutes(45), visitors: 3 * every, every, visitor => Farm.Route(visitor < 2 * every || !moved.Add(visitor) ? "a" : "c"));
        Assert.Equal(every, moved.Count);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void One_bad_minute_is_not_told_of()
    {
        Run(TimeSpan.FromMinutes(1), visitors: 60, every: 10, Scattered);
        Run(TimeSpan.FromMinutes(1), visitors: 60, every: 10, _ => Farm.Route("a"));
        Run(TimeSpan.FromMinutes(1), visitors: 60, every: 10, Scattered);
        Run(TimeSpan.FromMinutes(2), visitors: 60, every: 10, _ => Farm.Route("a"));
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void Two_bad_minutes_with_a_quiet_one_between_are_not_in_a_row()
    {
        for (var i = 0; i < 5; i++)
        {
            Run(TimeSpan.FromMinutes(1), visitors: 60, every: 10, Scattered);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Empty(_log.Events);
    }

    [Fact]
    public void A_few_requests_prove_nothing()
    {
        Run(TimeSpan.FromMinutes(10), visitors: 19, every: 60, _ => Farm.Route("b"));
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void Another_symptom_is_told_of_too_and_each_only_once()
    {
        for (var i = 0; i < 3; i++)
        {
            Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, Scattered);
            Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => RouteReading.Absent);
        }

        Assert.Equal(2, _log.Events.Count);
    }

    [Fact]
    public void New_visitors_are_not_counted()
    {
        Run(TimeSpan.FromMinutes(5), visitors: 600, every: 10, _ => RouteReading.Absent, _ => null);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void A_minute_of_requests_allocates_next_to_nothing()
    {
        var visit = Visit(Farm.Route("a"), TicketReading.None);
        var decision = new StickinessDecision(DecisionKind.Keep, StickinessReason.BoundHere);
        _watch.Saw(visit, decision);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++)
        {
            _watch.Saw(visit, decision);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000);
    }

    [Fact]
    public void Every_sign_that_is_told_has_a_text_without_a_gap()
    {
        for (var sign = ObedienceSign.Ignored; (int)sign < ObedienceRules.Signs; sign++)
        {
            var (symptom, cure) = ObedienceDiagnosis.Of(sign, _options);
            Assert.StartsWith("came ", symptom, StringComparison.Ordinal);
            Assert.EndsWith(".", cure, StringComparison.Ordinal);
            Assert.Contains("AFF", sign == ObedienceSign.Moved ? "AFF" : symptom, StringComparison.Ordinal);
        }
    }

    private static Ticket TicketOf(int visitor) => Sample.Ticket(session: (byte)visitor);

    /// <summary>The store knows no nodes.</summary>
    private void Alone()
    {
        _options.StoreKnowsNodes = false;
        _node.Joined([Farm.Node("a")]);
    }

    private static RouteReading Scattered(int visitor) => Farm.Route((visitor % 3) switch { 0 => "a", 1 => "b", _ => "c" });

    private static StickinessFeature Visit(RouteReading route, TicketReading ticket) => new(route, BindingReading.None, cameWithApplicationCookie: false, new TicketFeature(ticket, new DefaultHttpContext().Response));

    /// <summary>Every second those come whose turn it is, with the cookie that <paramref name="route"/> says.</summary>
    private void Run(TimeSpan duration, int visitors, int every, Func<int, RouteReading> route, Func<int, Ticket?>? ticket = null)
    {
        for (var second = 0; second < (int)duration.TotalSeconds; second++)
        {
            for (var visitor = second % every; visitor < visitors; visitor += every)
            {
                var visit = Visit(route(visitor), (ticket ?? TicketOf)(visitor) is { } valid ? new TicketReading(TicketVerdict.Valid, TicketReasons.Valid, valid) : TicketReading.None);
                var decision = StickinessRules.Decide(Farm.Visitor(_options) with { Route = visit.Route, Self = _node.Record, Live = _node.Live });
                _watch.Saw(visit, decision);
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
