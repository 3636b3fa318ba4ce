using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class ObedienceRulesTests
{
    private static readonly ObedienceRequest Named = new() { Route = RouteReadingKind.Named, HasTicket = true };
    private static readonly ObedienceRequest Absent = new() { Route = RouteReadingKind.Absent, HasTicket = true };
    private static readonly ObedienceRequest Unrecognised = new() { Route = RouteReadingKind.Unrecognised, HasTicket = true };

    /// <summary>What each reason says with the default options, by what the cookie was: a name, nothing, something else, a name that nobody has had.</summary>
    public static TheoryData<string, string, string, string, string> ByReason => new()
    {
        { nameof(StickinessReason.BoundHere), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.NothingToBindFor), "Uncounted", "Uncounted", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.DirectoryUnknown), "Uncounted", "Uncounted", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.NoPeer), "Uncounted", "Uncounted", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.ServedUnbound), "Uncounted", "Uncounted", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.DrainKeepsBound), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.OtherNode), "Ignored", "Missing", "Replaced", "UnknownName" },
        { nameof(StickinessReason.NotObeyed), "Replaced", "Missing", "Replaced", "UnknownName" },
        { nameof(StickinessReason.NewVisitor), "Uncounted", "Missing", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.Lapsed), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.RouteMissing), "Replaced", "Missing", "Replaced", "UnknownName" },
        { nameof(StickinessReason.RouteUnreadable), "Replaced", "Replaced", "Replaced", "Replaced" },
        { nameof(StickinessReason.RouteDisagrees), "Replaced", "Missing", "Replaced", "UnknownName" },
        { nameof(StickinessReason.BindingIncomplete), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.NodeGone), "Obeyed", "Obeyed", "Obeyed", "UnknownName" },
        { nameof(StickinessReason.NodeDraining), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.TrackMismatch), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.TrackGone), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.TrackEnded), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.Drain), "Uncounted", "Uncounted", "Uncounted", "Uncounted" },
        { nameof(StickinessReason.Load), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
        { nameof(StickinessReason.ApplicationCookieGone), "Obeyed", "Obeyed", "Obeyed", "Obeyed" },
    };

    [Theory]
    [MemberData(nameof(ByReason))]
    public void What_a_request_says(string reason, string named, string absent, string unrecognised, string unknown) => Assert.Equal(
        [named, absent, unrecognised, unknown],
        new[] { Named, Absent, Unrecognised, Named with { IsUnknown = true } }.Select(request => Read(reason, request).ToString()));

    [Fact]
    public void Every_reason_is_in_the_table() => Assert.Equal(Enum.GetNames<StickinessReason>(), ByReason.Select(row => (string)row[0]), StringComparer.Ordinal);

    [Fact]
    public void Two_tabs_that_cross_each_other_are_not_the_balancers_fault() => Assert.Equal(ObedienceSign.Obeyed, Read("OtherNode", Named with { NamesHere = true, IsSigned = true }));

    [Fact]
    public void A_signed_binding_to_a_node_that_this_process_has_not_known_is_that_of_a_fail_over() =>
        Assert.Equal(ObedienceSign.Obeyed, Read("NodeGone", Named with { IsUnknown = true, IsSigned = true }));

    [Fact]
    public void A_visitor_without_a_ticket_is_new() => Assert.Equal(ObedienceSign.Uncounted, Read("NewVisitor", Absent with { HasTicket = false }));

    [Fact]
    public void A_visitor_who_was_released_with_their_version_is_not_missing_a_cookie() => Assert.Equal(
        ObedienceSign.Uncounted,
        ObedienceRules.Read(new(DecisionKind.Assign, StickinessReason.NewVisitor, Farm.Node("a"), Farm.Bound("a", "green")), Absent, new()));

    /// <summary>Each node knows only itself, and takes every other one for gone.</summary>
    [Fact]
    public void Where_nobody_knows_which_nodes_live_a_node_that_seems_gone_may_be_one_that_was_not_reached()
    {
        var options = new StickinessOptions { StoreKnowsNodes = false };
        Assert.Equal(ObedienceSign.Ignored, Read("NodeGone", Named, options));
        Assert.Equal(ObedienceSign.Ignored, Read("NodeGone", Named with { IsSigned = true }, options));
        Assert.Equal(ObedienceSign.Obeyed, Read("NodeGone", Named with { IsSigned = true, NamesHere = true }, options));
        Assert.Equal(ObedienceSign.Moved, Read("NodeGone", Named with { IsSigned = true }, new() { StoreKnowsNodes = false, Ownership = RouteOwnership.Balancer }));
        Assert.Equal(ObedienceSign.Moved, Read("NodeGone", Named with { IsSigned = true }, new() { StoreKnowsNodes = false, Ownership = RouteOwnership.Learned }));
    }

    [Fact]
    public void A_value_of_a_node_that_is_gone_is_that_of_a_fail_over()
    {
        Assert.Equal(ObedienceSign.Obeyed, Read("RouteUnreadable", Unrecognised with { IsOfGone = true }));
        Assert.Equal(ObedienceSign.Uncounted, Read("OtherNode", Unrecognised with { IsOfGone = true, IsSigned = true }));
        Assert.Equal(ObedienceSign.Uncounted, Read("NotObeyed", Unrecognised with { IsOfGone = true, IsSigned = true }));
    }

    [Fact]
    public void A_value_that_may_be_a_peers_names_another_node() =>
        Assert.Equal(ObedienceSign.Ignored, Read("RouteUnreadable", Unrecognised with { MayBeOfPeer = true }, new() { StoreKnowsNodes = false }));

    [Theory]
    [InlineData("Ignored", 2, 30)]
    [InlineData("Moved", 2, 30)]
    [InlineData("Missing", 2, 2)]
    [InlineData("Replaced", 2, 2)]
    [InlineData("UnknownName", 2, 2)]
    public void Only_what_a_fail_over_looks_like_too_must_go_on_for_long_where_nobody_knows_which_nodes_live(string sign, int known, int unknown) => Assert.Equal(
        (known, unknown),
        (ObedienceRules.WindowsFor(Enum.Parse<ObedienceSign>(sign), new()), ObedienceRules.WindowsFor(Enum.Parse<ObedienceSign>(sign), new() { StoreKnowsNodes = false })));

    [Theory]
    [InlineData("OtherNode", "Moved")]
    [InlineData("NotObeyed", "Moved")]
    [InlineData("RouteUnreadable", "Uncounted")]
    [InlineData("RouteMissing", "Uncounted")]
    [InlineData("NewVisitor", "Uncounted")]
    [InlineData("NodeGone", "Obeyed")]
    [InlineData("BoundHere", "Obeyed")]
    public void A_cookie_of_the_balancers_own_may_look_as_it_likes(string reason, string sign)
    {
        foreach (var request in new[] { Named, Absent, Unrecognised, Named with { IsUnknown = true } })
        {
            Assert.Equal(sign, Read(reason, request, new() { Ownership = RouteOwnership.Balancer }).ToString());
        }
    }

    /// <summary>To move a visitor the app takes the cookie away, as it can name no node; so the next request comes without one, to whichever node.</summary>
    [Theory]
    [InlineData("OtherNode")]
    [InlineData("NotObeyed")]
    [InlineData("RouteMissing")]
    [InlineData("NewVisitor")]
    public void A_learned_cookie_that_is_missing_may_have_been_removed_by_the_app(string reason) =>
        Assert.Equal(ObedienceSign.Uncounted, Read(reason, Absent with { IsSigned = true }, new() { Ownership = RouteOwnership.Learned }));

    /// <summary>Without a cookie the balancer was free to choose; but when nobody has one, its affinity is off.</summary>
    [Theory]
    [InlineData("OtherNode", true)]
    [InlineData("NotObeyed", true)]
    [InlineData("NodeGone", false)]
    public void A_balancers_cookie_that_is_missing_is_no_sign_where_others_have_one(string reason, bool storeKnowsNodes)
    {
        var options = new StickinessOptions { Ownership = RouteOwnership.Balancer, StoreKnowsNodes = storeKnowsNodes };
        Assert.Equal(ObedienceSign.Uncounted, Read(reason, Absent with { IsSigned = true, OthersHaveRoute = true }, options));
        Assert.Equal(ObedienceSign.Moved, Read(reason, Absent with { IsSigned = true }, options));
        Assert.Equal(ObedienceSign.Moved, Read(reason, Unrecognised with { IsSigned = true, OthersHaveRoute = true }, options));
    }

    [Fact]
    public void An_opaque_value_names_nobody_and_is_no_sign_by_itself()
    {
        var options = new StickinessOptions { Dialect = AffinityDialect.Opaque };
        Assert.Equal(ObedienceSign.Uncounted, Read("RouteUnreadable", Unrecognised, options));
        Assert.Equal(ObedienceSign.Moved, Read("OtherNode", Unrecognised, options));
        Assert.Equal(ObedienceSign.Missing, Read("OtherNode", Absent, options));
    }

    [Theory]
    [InlineData(0, 0, false)]
    [InlineData(0, 19, false)]
    [InlineData(0, 20, true)]
    [InlineData(80, 20, true)]
    [InlineData(81, 20, false)]
    [InlineData(1_000_000, 200_000, false)]
    [InlineData(0, int.MaxValue, true)]
    public void A_window_is_bad_with_20_misrouted_requests_that_are_20_percent(int obeyed, int ignored, bool bad)
    {
        var counts = new int[ObedienceRules.Signs];
        (counts[(int)ObedienceSign.Obeyed], counts[(int)ObedienceSign.Ignored]) = (obeyed, ignored);
        Assert.Equal(bad, ObedienceRules.IsBad(counts));
    }

    [Fact]
    public void What_fewer_than_five_visitors_have_borne_is_left_out_and_the_rest_stays()
    {
        var (counts, visitors) = (new int[ObedienceRules.Signs], new ulong[ObedienceRules.Signs]);
        (counts[(int)ObedienceSign.Obeyed], counts[(int)ObedienceSign.Ignored], counts[(int)ObedienceSign.Missing]) = (100, 1_000_000, 30);
        (visitors[(int)ObedienceSign.Obeyed], visitors[(int)ObedienceSign.Ignored], visitors[(int)ObedienceSign.Missing]) = (1, 0b1111, 0b11111);
        ObedienceRules.LeaveOutFew(counts, visitors);
        Assert.Equal((100, 0, 30), (counts[(int)ObedienceSign.Obeyed], counts[(int)ObedienceSign.Ignored], counts[(int)ObedienceSign.Missing]));
        Assert.Equal(ObedienceSign.Missing, ObedienceRules.Worst(counts));
    }

    [Fact]
    public void What_is_told_is_the_sign_that_most_bear()
    {
        var counts = new int[ObedienceRules.Signs];
        counts[(int)ObedienceSign.Obeyed] = 100;
        counts[(int)ObedienceSign.Ignored] = 10;
        counts[(int)ObedienceSign.UnknownName] = 11;
        Assert.Equal(ObedienceSign.UnknownName, ObedienceRules.Worst(counts));
        Assert.Equal(121, ObedienceRules.Requests(counts));
    }

    private static ObedienceSign Read(string reason, ObedienceRequest request, StickinessOptions? options = null) =>
        ObedienceRules.Read(new(DecisionKind.Keep, Enum.Parse<StickinessReason>(reason)), request, options ?? new());
}
