using System.Diagnostics.CodeAnalysis;
using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
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
    private readonly NodeRecord[] _live = [.. "abc".Select(name => Farm.Node($"{name}") with { Address = AddressOf(name) })];
    private LiveTargets _targets;
    private RouteCookie _route;
    private ObedienceWatch _watch;

    public ObedienceWatchTests()
    {
        _node = new NodeMembership(NodeId.Parse("a"), new BoundVisitors(TimeSpan.FromMinutes(20), _time), _time) { Address = AddressOf('a') };
        _node.Joined(_live);
        Use(BuiltInDialects.Of(AffinityDialect.Plain));
    }

    /// <summary>The dialects whose values tell no name.</summary>
    public static TheoryData<string> OfAddresses => ["EnvoyAddress", "Caddy", "ARR"];

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

    /// <summary>The value of a node that is gone names nobody, and was told as a cookie of the balancer's own.</summary>
    [Theory]
    [MemberData(nameof(OfAddresses))]
    public void A_fail_over_is_none_either_with_values_that_tell_no_name(string dialect)
    {
        var value = Use(Stickiness.Farm.Dialects[dialect]);
        RunWith(TimeSpan.FromMinutes(12), visitors: 600, every: 300, _ => value('a'));
        _node.Joined(_live[..2]);
        var moved = new HashSet<int>();
        RunWith(TimeSpan.FromMinutes(12), visitors: 900, every: 300, visitor => value(visitor < 600 || !moved.Add(visitor) ? 'a' : 'c'));
        Assert.Equal(300, moved.Count);
        Assert.Empty(_log.Events);
    }

    [Theory]
    [MemberData(nameof(OfAddresses))]
    public void A_foreign_value_is_told_of_when_the_node_has_run_long_enough_to_know_all_values(string dialect)
    {
        var value = Use(Stickiness.Farm.Dialects[dialect]);
        RunWith(TimeSpan.FromMinutes(10), visitors: 60, every: 10, _ => value('x'));
        Assert.Empty(_log.Events);
        RunWith(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => value('x'));
        Assert.Contains("that Affinity has not written", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_directory_a_foreign_value_may_be_that_of_a_peer()
    {
        Alone();
        var value = Use(Stickiness.Farm.Dialects["Caddy"]);
        RunWith(TimeSpan.FromMinutes(29), visitors: 60, every: 10, _ => value('b'));
        Assert.Empty(_log.Events);
        RunWith(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => value('b'));
        Assert.Contains("came to another node than the one that their cookie AFF names. Whether that node has just gone nobody knows", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
    }

    [Fact]
    public void Those_that_are_gone_are_remembered_the_last_256_with_their_former_addresses()
    {
        Use(Stickiness.Farm.Dialects["EnvoyAddress"]);
        Assert.Empty(_targets.Gone);
        _node.Joined([_live[0], _live[2] with { Address = "10.0.0.9:80" }]);
        Assert.Equal([new(NodeId.Parse("b"), AddressOf('b')), new(NodeId.Parse("c"), AddressOf('c'))], _targets.Gone);
        var gone = _targets.Gone;
        _node.Joined([_live[0], _live[2] with { Address = "10.0.0.9:80" }]);
        Assert.Same(gone, _targets.Gone);
        _node.Joined(_live);
        Assert.Equal([new(NodeId.Parse("c"), "10.0.0.9:80")], _targets.Gone);

        for (var i = 0; i < 300; i++)
        {
            _node.Joined([_live[0], Farm.Node("b") with { Address = $"10.0.1.{i}:80" }]);
            Assert.Equal(2, _targets.Now.Count);
        }

        Assert.Equal(LiveTargets.MaxGone, _targets.Gone.Count);
        Assert.Equal("10.0.1.298:80", _targets.Gone[0].Address);
    }

    /// <summary>Visitors whom two draining nodes have sent away by taking the balancer's cookie from them come once without it, many of them to another node than the one that was thought of.</summary>
    [Fact]
    public void Whom_the_app_has_sent_away_by_removing_the_balancers_cookie_is_no_sign()
    {
        _options.Ownership = RouteOwnership.Balancer;
        Run(TimeSpan.FromMinutes(10), visitors: 600, every: 300, _ => RouteReading.Unrecognised, bound: _ => "a");
        var (moved, bound) = (new HashSet<int>(), new HashSet<int>());
        Run(
            TimeSpan.FromMinutes(10),
            visitors: 900,
            every: 300,
            visitor => visitor < 600 || !moved.Add(visitor) ? RouteReading.Unrecognised : RouteReading.Absent,
            bound: visitor => visitor < 600 || !bound.Add(visitor) ? "a" : "b");
        Assert.Equal(300, moved.Count);
        Assert.Empty(_log.Events);
    }

    [Fact]
    public void A_balancer_whose_affinity_is_off_sets_no_cookie_and_is_told_of()
    {
        _options.Ownership = RouteOwnership.Balancer;
        Run(TimeSpan.FromMinutes(3), visitors: 60, every: 10, _ => RouteReading.Absent, bound: visitor => "abc"[visitor % 3].ToString());
        Assert.Contains("look whether its session affinity is on", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
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

    /// <summary>A request is made in no time, and what has been told is not told again: one client could call the balancer disobedient, and silence the truth.</summary>
    [Fact]
    public void What_one_client_sends_is_no_sign_however_often()
    {
        Run(TimeSpan.FromMinutes(5), visitors: 600, every: 10, _ => Farm.Route("b"), _ => Sample.Ticket(session: 1));
        Run(TimeSpan.FromMinutes(5), visitors: 600, every: 10, _ => Farm.Route("b"), _ => null);
        Run(TimeSpan.FromMinutes(5), visitors: 600, every: 10, _ => Farm.Route("b"), _ => null, bound: _ => "b");
        Assert.Empty(_log.Events);
    }

    /// <summary>It did: the client's was what most requests bore, and the warning is told once.</summary>
    [Fact]
    public void One_client_does_not_hide_what_the_balancer_does_to_all_others()
    {
        Run(TimeSpan.FromMinutes(3), visitors: 500, every: 10, visitor => visitor < 400 ? Farm.Route("b") : RouteReading.Absent, visitor => Sample.Ticket((byte)Math.Max(visitor - 399, 1)));
        Assert.Contains("came without the cookie AFF", _log.TextOf("BalancerDoesNotObey"), StringComparison.Ordinal);
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
        var visit = Visit(Farm.Route("a"), ticket: null);
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

    private static string AddressOf(char name) => $"10.0.0.{name - 'a' + 1}:80";

    /// <summary>What the cookie of a node holds from now on.</summary>
    [MemberNotNull(nameof(_targets), nameof(_route), nameof(_watch))]
    private Func<char, string> Use(IAffinityDialect dialect)
    {
        var guarded = Stickiness.Farm.Guarded(dialect);
        _targets = new LiveTargets(guarded, _node);
        _route = new RouteCookie("AFF", guarded, new TicketOptions());
        _watch = new(_options, _node, _route, _targets, _time, _log);
        return name => dialect.Write(new RouteTarget(NodeId.Parse($"{name}"), AddressOf(name)), Stickiness.Farm.Token);
    }

    /// <summary>The store knows no nodes.</summary>
    private void Alone()
    {
        _options.StoreKnowsNodes = false;
        _node.Joined(_live[..1]);
    }

    private static RouteReading Scattered(int visitor) => Farm.Route((visitor % 3) switch { 0 => "a", 1 => "b", _ => "c" });

    private static StickinessFeature Visit(RouteReading route, Ticket? ticket, HttpContext? context = null, Binding? binding = null) => new(
        route,
        binding is null ? BindingReading.None : BindingReading.Valid(binding),
        cameWithApplicationCookie: false,
        new TicketFeature(ticket is null ? TicketReading.None : new TicketReading(TicketVerdict.Valid, TicketReasons.Valid, ticket), (context ?? new DefaultHttpContext()).Response));

    /// <summary>As <see cref="Run"/>, with a cookie of this value.</summary>
    private void RunWith(TimeSpan duration, int visitors, int every, Func<int, string> value)
    {
        var context = new DefaultHttpContext();
        Run(duration, visitors, every, visitor =>
        {
            context.Request.Headers.Cookie = $"AFF={value(visitor)}";
            return _route.Read(context.Request, _targets.Now);
        }, context: context);
    }

    /// <summary>Every second those come whose turn it is, with the cookie that <paramref name="route"/> says.</summary>
    private void Run(TimeSpan duration, int visitors, int every, Func<int, RouteReading> route, Func<int, Ticket?>? ticket = null, HttpContext? context = null, Func<int, string>? bound = null)
    {
        for (var second = 0; second < (int)duration.TotalSeconds; second++)
        {
            for (var visitor = second % every; visitor < visitors; visitor += every)
            {
                var visit = Visit(route(visitor), (ticket ?? TicketOf)(visitor), context, bound is null ? null : Farm.Bound(bound(visitor)));
                var decision = StickinessRules.Decide(Farm.Visitor(_options) with { Route = visit.Route, Binding = visit.Binding.Binding, Self = _node.Record, Live = _node.Live });
                _watch.Saw(visit, decision);
            }

            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
