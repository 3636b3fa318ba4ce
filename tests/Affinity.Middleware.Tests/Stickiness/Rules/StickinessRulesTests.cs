using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;
using static Affinity.Tests.Stickiness.Rules.Farm;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class StickinessRulesTests
{
    public static TheoryData<string> Names => [.. StickinessCase.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Each_named_case_is_decided_as_the_table_says(string name)
    {
        var expected = StickinessCase.All.Single(c => string.Equals(c.Name, name, StringComparison.Ordinal));

        var decision = StickinessRules.Decide(expected.Facts);

        Assert.Equal((expected.Kind, expected.Reason, expected.Target), (decision.Kind, decision.Reason.Word(), decision.Target?.Id.Value));
    }

    [Fact]
    public void The_document_has_the_same_table()
    {
        var told = Affinity.Tests.Documentation.Document.Of("docs/stickiness.md").Rows("## What is decided when").Skip(2).Select(cells => string.Join(" | ", cells));

        Assert.Equal(StickinessCase.All.Select(c => $"{c.Name} | {c.Kind}{(c.Target is null ? "" : $" to `{c.Target}`")} | `{c.Reason}`"), told);
    }

    [Fact]
    public void Every_reason_has_a_word_of_its_own_and_stands_in_the_table()
    {
        var words = Enum.GetValues<StickinessReason>().Select(reason => reason.Word()).ToList();

        Assert.Equal(words.Distinct(StringComparer.Ordinal), words);
        Assert.Empty(words.Except(StickinessCase.All.Select(c => c.Reason), StringComparer.Ordinal));
    }

    [Fact]
    public void A_renewed_binding_gets_its_whole_time_and_a_corrected_one_the_rest_of_it()
    {
        var facts = Visitor(new StickinessOptions { Lifetime = BindingLifetime.Duration });
        var bound = Bound("a") with { Until = Now.AddMinutes(5) };

        Assert.Equal(Now.AddHours(1), StickinessRules.Decide(facts with { Route = Route("a"), Binding = bound with { Until = Now } }).Binding?.Until);
        Assert.Equal(bound with { Repairs = 1 }, StickinessRules.Decide(facts with { Binding = bound }).Binding);
    }

    [Fact]
    public void Moving_to_another_node_of_the_same_version_does_not_prolong_the_stay_on_it()
    {
        var bound = Bound("b", "blue", trackHours: 2);
        var facts = Visitor() with { Self = Node("a", track: "blue"), Live = [Node("a", track: "blue")], Route = Route("b"), Binding = bound };

        Assert.Equal(bound with { Node = NodeId.Parse("a") }, StickinessRules.Decide(facts).Binding);
    }

    [Fact]
    public void A_binding_by_the_route_cookie_alone_needs_no_ticket()
    {
        var decision = StickinessRules.Decide(Visitor());

        Assert.Equal(DecisionKind.Assign, decision.Kind);
        Assert.Null(decision.Binding);
    }

    [Fact]
    public void A_balancer_that_never_obeys_causes_as_many_cookies_as_allowed_and_then_none()
    {
        var facts = Visitor(new StickinessOptions { Ownership = RouteOwnership.Balancer, OnOtherNode = OtherNodePolicy.Keep }) with { Route = RouteReading.Unrecognised, Binding = Bound("b") };
        var written = 0;
        for (var request = 0; request < 20; request++)
        {
            var decision = StickinessRules.Decide(facts);
            written += decision.Kind == DecisionKind.Keep ? 0 : 1;
            facts = facts with { Binding = decision.Binding };
        }

        Assert.Equal(3, written);
    }
}
