using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class NodeNameTests
{
    [Theory]
    [InlineData("web-1")]
    [InlineData("Web_1")]
    [InlineData("shop-6f7d9c5b4d-x2x9k")]
    [InlineData("abcdefghijklmnopqrstuvwxyz012345")]
    public void A_host_name_that_is_a_node_name_is_taken_as_it_is(string host) =>
        Assert.Equal(host, NodeName.From(configured: null, host).Value);

    [Fact]
    public void A_configured_name_wins_over_the_host_name() =>
        Assert.Equal("node-a", NodeName.From("node-a", "host").Value);

    [Theory]
    [InlineData("")]
    [InlineData("node.a")]
    public void A_configured_name_that_balancers_cannot_match_is_refused_and_not_repaired(string configured) =>
        Assert.Throws<FormatException>(() => NodeName.From(configured, "host"));

    [Fact]
    public void A_long_name_keeps_its_end_and_a_hash_of_the_whole()
    {
        var name = NodeName.From(configured: null, "the-shop-of-the-northern-region-6f7d9c5b4d-x2x9k").Value;
        Assert.Equal(NodeId.MaxLength, name.Length);
        Assert.Matches("^n-region-6f7d9c5b4d-x2x9k-[0-9a-f]{6}$", name);
    }

    [Fact]
    public void Replicas_that_differ_only_in_what_is_cut_off_have_different_names() =>
        Assert.NotEqual(
            NodeName.From(configured: null, "replica-1-of-the-shop-of-the-northern-region-web"),
            NodeName.From(configured: null, "replica-2-of-the-shop-of-the-northern-region-web"));

    [Fact]
    public void Replicas_that_differ_only_in_what_is_replaced_have_different_names() =>
        Assert.NotEqual(NodeName.From(configured: null, "web.1"), NodeName.From(configured: null, "web:1"));

    [Fact]
    public void Case_is_kept_as_comparison_is_ordinal() =>
        Assert.NotEqual(NodeName.From(configured: null, "web"), NodeName.From(configured: null, "WEB"));

    [Theory]
    [InlineData("web.example.org", "^web-example-org-[0-9a-f]{6}$")]
    [InlineData("-web", "^web-[0-9a-f]{6}$")]
    [InlineData("büro", "^b-ro-[0-9a-f]{6}$")]
    [InlineData("...", "^node-[0-9a-f]{6}$")]
    [InlineData("", "^node-[0-9a-f]{6}$")]
    public void What_balancers_cannot_match_is_replaced(string host, string expected) =>
        Assert.Matches(expected, NodeName.From(configured: null, host).Value);

    [Fact]
    public void The_same_host_has_the_same_name_after_a_restart() =>
        Assert.Equal(NodeName.From(configured: null, "web.1"), NodeName.From(configured: null, "web.1"));
}
