using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class DriftRulesTests
{
    private static readonly AgreedSettings Own = Settings(("id", "idle", "20"), ("na", "name", "shop"), ("co", "cookie", "A"));

    [Fact]
    public void Nodes_with_the_same_settings_do_not_differ() => Assert.Empty(DriftRules.Compare(Own, [Node("b", Own), Node("c", Own)]));

    [Fact]
    public void A_setting_that_differs_is_named_with_the_nodes_in_order()
    {
        var drift = DriftRules.Compare(Own, [
            Node("d", Settings(("id", "idle", "30"), ("na", "name", "shop"), ("co", "cookie", "A"))),
            Node("c", Own),
            Node("b", Settings(("id", "idle", "25"), ("na", "name", "shop"), ("co", "cookie", "B"))),
        ]);

        Assert.Equal(["cookie (on b)", "idle (on b, d)"], drift.Select(setting => setting.ToString()));
        Assert.Equal("Settings that all nodes must agree on differ: cookie (on b); idle (on b, d).", DriftRules.Describe(drift));
    }

    [Fact]
    public void A_node_that_tells_nothing_or_in_another_form_or_of_settings_that_only_one_knows_is_no_drift() =>
        Assert.Empty(DriftRules.Compare(Own, [
            FakeDirectory.Peer("b"),
            FakeDirectory.Peer("c") with { Settings = "2what a later release tells" },
            Node("d", Settings(("na", "name", "shop"), ("zz", "later", "1"))),
        ]));

    [Fact]
    public void A_node_that_has_nothing_to_tell_compares_nothing() => Assert.Empty(DriftRules.Compare(AgreedSettings.None, [Node("b", Own)]));

    [Fact]
    public void Of_many_nodes_the_first_five_are_named()
    {
        var other = Settings(("id", "idle", "30"));

        var drift = Assert.Single(DriftRules.Compare(Own, Enumerable.Range(1, 7).Select(i => Node($"n{i}", other))));

        Assert.Equal("idle (on n1, n2, n3, n4, n5 and 2 more)", drift.ToString());
        Assert.Equal(7, drift.Nodes.Count);
    }

    [Fact]
    public void A_change_is_another_setting_or_another_node()
    {
        SettingDrift[] drift = [new("idle", ["b", "c"])];

        Assert.True(DriftRules.AreSame(drift, [new("idle", ["b", "c"])]));
        Assert.False(DriftRules.AreSame(drift, [new("idle", ["b"])]));
        Assert.False(DriftRules.AreSame(drift, [new("name", ["b", "c"])]));
        Assert.False(DriftRules.AreSame(drift, []));
    }

    private static AgreedSettings Settings(params (string Code, string Name, string Value)[] settings) => new([.. settings.Select(setting => new AgreedSetting(setting.Code, setting.Name, setting.Value))]);

    private static NodeRecord Node(string name, AgreedSettings settings) => FakeDirectory.Peer(name) with { Settings = settings.Text };
}
