using Affinity.Nodes;
using Affinity.Stickiness;
using Xunit;

namespace Affinity.Tests.Stickiness;

/// <summary>What balancers obey, dialect by dialect. Values were computed by hand, with Python, or are a balancer's own tests'.</summary>
public sealed class DialectTests
{
    [Theory]
    [InlineData("Plain", "node-a")]
    [InlineData("Suffix", "0123456789abcdeF.node-a")]
    [InlineData("Tagged", "node-a|-0123456789abcdeF")]
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODA=")]
    [InlineData("Opaque", "0123456789abcdeF")]
    [InlineData("Caddy", "ea5568f0e8badd015ce62a8dc6f80c36f5a2f504a67585aad7e16ed427a4b3f4")]
    [InlineData("nginx", "cbcbfa9fac67839ff2b636c348174b35")]
    [InlineData("Traefik", "abfb85b9e97cca07")]
    [InlineData("ARR", "DB18A95712E7751428C26ADED9414ED7A583092B211FBC90D28BB820794DD8E6")]
    public void The_value_that_leads_to_node_a(string dialect, string value) => Assert.Equal(value, Farm.Dialects[dialect].Write(Farm.A, Farm.Token));

    [Theory]
    [InlineData("Plain", "node-a", "node-a")]
    [InlineData("Plain", "gone-since", "gone-since")]
    [InlineData("Plain", "NODE-A", "NODE-A")] // balancers compare with case, so it is another node
    [InlineData("Plain", "token.node-a", "unrecognised")]
    [InlineData("Plain", "node-a|token", "unrecognised")]
    [InlineData("Suffix", "token.node-a", "node-a")]
    [InlineData("Suffix", ".node-a", "node-a")] // Apache looks at nothing before the dot
    [InlineData("Suffix", "to|k=en.gone-since", "gone-since")]
    [InlineData("Suffix", "node-a", "unrecognised")] // Apache needs the dot
    [InlineData("Suffix", "token.x.node-a", "unrecognised")] // the first dot counts: the route is x.node-a
    [InlineData("Suffix", "token.", "unrecognised")]
    [InlineData("Tagged", "node-a|token", "node-a")]
    [InlineData("Tagged", "node-a|", "node-a")]
    [InlineData("Tagged", "node-a", "node-a")] // HAProxy's own cookie
    [InlineData("Tagged", "node-a|awEl2|awEl3", "node-a")] // with maxidle and maxlife
    [InlineData("Tagged", "gone-since|token", "gone-since")]
    [InlineData("Tagged", "|node-a", "unrecognised")]
    [InlineData("Tagged", "token.node-a", "unrecognised")]
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODA=", "node-a")]
    [InlineData("EnvoyAddress", "\"Cg8xMC4xLjEuMTAwOjgwODA=\"", "node-a")] // as Envoy itself writes it
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODAQudHwxQY=", "node-a")] // with an expiry
    [InlineData("EnvoyAddress", "Cg8xMjcuMC4wLjE6Mjg0MDE=", "Node_B")]
    [InlineData("EnvoyAddress", "CgsxMC4wLjAuNzo4MA==", "unrecognised")] // 10.0.0.7:80, which does not live
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODA", "unrecognised")] // no padding
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEu MTAwOjgwODA=", "unrecognised")]
    [InlineData("EnvoyAddress", "\"Cg8xMC4xLjEuMTAwOjgwODA=", "unrecognised")]
    [InlineData("EnvoyAddress", "MTAuMS4xLjEwMDo4MDgw", "unrecognised")] // the address alone
    [InlineData("EnvoyAddress", "ChAxMC4xLjEuMTAwOjgwODA=", "unrecognised")] // a length beyond the end
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODAQgA==", "unrecognised")] // an expiry that does not end
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODAQ", "unrecognised")] // an expiry's tag alone
    [InlineData("EnvoyAddress", "Cg8xMC4xLjEuMTAwOjgwODAaAXg=", "unrecognised")] // a third field
    [InlineData("EnvoyAddress", "CgA=", "unrecognised")]
    [InlineData("Opaque", "0123456789abcdeF", "unrecognised")]
    [InlineData("Opaque", "node-a", "unrecognised")]
    [InlineData("Caddy", "fce5374e153d62b54d950d573c658cd38b1120dada4ae246ba1d1e59f525200a", "Node_B")]
    [InlineData("Caddy", "FCE5374E153D62B54D950D573C658CD38B1120DADA4AE246BA1D1E59F525200A", "unrecognised")]
    [InlineData("Caddy", "2aca1dde895bf06fcbc166378ba8f1d9682c47cfe8d75203faf58c8b571d6f8c", "unrecognised")] // 10.0.0.7:80
    [InlineData("nginx", "ad541fedf68dae17909558e23ae72449", "Node_B")]
    [InlineData("nginx", "594f304892f3c013466e797f212adb6e", "unrecognised")] // 10.0.0.7:80
    [InlineData("Traefik", "f5837a2c97bdd181", "Node_B")]
    [InlineData("Traefik", "c1c3f8e2df84e3ca", "unrecognised")] // 10.0.0.7:80
    [InlineData("ARR", "DB18A95712E7751428C26ADED9414ED7A583092B211FBC90D28BB820794DD8E6", "node-a")]
    [InlineData("ARR", "db18a95712e7751428c26aded9414ed7a583092b211fbc90d28bb820794dd8e6", "unrecognised")]
    public void What_a_value_names(string dialect, string value, string named) =>
        Assert.Equal(named, Farm.Said(Farm.Dialects[dialect].Read(value, Farm.Live)));

    [Fact]
    public void The_hash_of_YARPs_own_test() => Assert.Equal(
        "920A160FA519353932B655488361A944531650016793761EE7224DE632863B13",
        ComputedDialect.ArrCookie().Write(new RouteTarget(NodeId.Parse("dest-B")), Farm.Token));

    [Fact]
    public void Traefik_over_TLS() => Assert.Equal("3374df8137d42f56", ComputedDialect.TraefikCookie("https").Write(Farm.A, Farm.Token));

    [Fact]
    public void Caddy_without_a_secret() => Assert.Equal(
        "e8e053c52ebf8a47b27351dcc65efc8dda503c4614d0e534bdf86bc7a7dab76e",
        ComputedDialect.CaddyCookie("").Write(Farm.A, Farm.Token));

    [Fact]
    public void Only_opaque_values_do_not_steer() =>
        Assert.Equal(["Opaque"], Farm.Dialects.Where(entry => !entry.Value.Steers).Select(entry => entry.Key));

    [Fact]
    public void A_value_that_is_made_of_the_address_asks_for_one()
    {
        var needing = Farm.Dialects.Where(entry => entry.Value.NeedsAddress).ToArray();
        Assert.Equal(["Caddy", "EnvoyAddress", "Traefik", "nginx"], needing.Select(entry => entry.Key).Order(StringComparer.Ordinal));
        Assert.All(needing, entry => Assert.Throws<ArgumentException>(() => entry.Value.Write(Farm.A with { Address = null }, Farm.Token)));
    }

    /// <summary>A node that came back under a new name is in the directory twice until its former life is taken for dead.</summary>
    [Theory]
    [InlineData("EnvoyAddress")]
    [InlineData("Caddy")]
    public void Of_two_nodes_with_one_address_the_first_counts(string dialect)
    {
        var former = new RouteTarget(NodeId.Parse("former-life"), Farm.A.Address);
        var value = Farm.Dialects[dialect].Write(Farm.A, Farm.Token);
        Assert.Equal("node-a", Farm.Said(Farm.Dialects[dialect].Read(value, [Farm.A, former])));
    }

    [Theory]
    [InlineData("EnvoyAddress")]
    [InlineData("Caddy")]
    [InlineData("nginx")]
    [InlineData("Traefik")]
    public void A_peer_without_an_address_is_passed_over(string dialect)
    {
        var value = Farm.Dialects[dialect].Write(Farm.A, Farm.Token);
        Assert.Equal("node-a", Farm.Said(Farm.Dialects[dialect].Read(value, [new RouteTarget(NodeId.Parse("without")), Farm.A])));
    }

    [Fact]
    public void A_computed_dialect_follows_the_nodes_that_live()
    {
        var dialect = ComputedDialect.NginxStickyCookie();
        var value = dialect.Write(Farm.B, Farm.Token);
        Assert.Equal("Node_B", Farm.Said(dialect.Read(value, Farm.Live)));
        Assert.Equal("unrecognised", Farm.Said(dialect.Read(value, [Farm.A])));
        Assert.Equal("Node_B", Farm.Said(dialect.Read(value, [Farm.A, Farm.B])));
    }

    [Fact]
    public void A_computed_dialect_hashes_once_per_snapshot()
    {
        var computed = 0;
        var dialect = new ComputedDialect(target => $"{computed++}{target.Node}", needsAddress: false);
        for (var i = 0; i < 10; i++)
        {
            dialect.Read("1Node_B", Farm.Live);
        }

        Assert.Equal(Farm.Live.Count, computed);
    }

    /// <summary>Hundreds of hashes per request, which anybody could have brought about with a foreign value.</summary>
    [Fact]
    public void A_computed_dialect_that_is_asked_about_two_snapshots_in_turn_hashes_once_for_each()
    {
        var computed = 0;
        var dialect = new ComputedDialect(
            target =>
            {
                computed++;
                return target.Node.Value;
            },
            needsAddress: false);
        RouteTarget[] gone = [new(NodeId.Parse("gone"))];
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal("unrecognised", Farm.Said(dialect.Read("foreign", Farm.Live)));
            Assert.Equal("gone", Farm.Said(dialect.Read("gone", gone)));
        }

        Assert.Equal(Farm.Live.Count + 1, computed);
    }

    [Fact]
    public void The_targets_are_this_node_and_the_peers_that_the_dialect_can_name()
    {
        NodeRecord[] live = [Record("b", address: null), Record("node-a", address: "stale:1"), Record("c", address: "10.0.0.3:80")];
        Assert.Equal([Farm.A, new(NodeId.Parse("b")), new(NodeId.Parse("c"), "10.0.0.3:80")], RouteTargets.Of(Farm.Guarded(Farm.Dialects["Plain"]), Farm.A, live));
        Assert.Equal([Farm.A, new(NodeId.Parse("c"), "10.0.0.3:80")], RouteTargets.Of(Farm.Guarded(Farm.Dialects["EnvoyAddress"]), Farm.A, live));
    }

    /// <summary>Longer than Envoy's form has room for; a visitor who was to be sent there got 500.</summary>
    [Fact]
    public void A_peer_for_which_the_dialect_makes_no_value_is_no_target()
    {
        NodeRecord[] live = [Record("b", address: new string('1', 200)), Record("c", address: "10.0.0.3:80")];
        Assert.Equal([Farm.A, new(NodeId.Parse("c"), "10.0.0.3:80")], RouteTargets.Of(Farm.Guarded(Farm.Dialects["EnvoyAddress"]), Farm.A, live));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_function_that_does_not_know_a_node_reads_the_values_of_the_others(bool throws)
    {
        var dialect = new ComputedDialect(target => target == Farm.B ? (throws ? throw new KeyNotFoundException() : null!) : target.Node.Value, needsAddress: false);
        Assert.Equal("c", Farm.Said(dialect.Read("c", Farm.Live)));
        Assert.Equal("unrecognised", Farm.Said(dialect.Read("Node_B", Farm.Live)));
    }

    [Fact]
    public void A_reading_names_a_node_or_none()
    {
        Assert.Equal(RouteReading.Absent, default);
        Assert.Null(RouteReading.Unrecognised.Node);
        Assert.Equal(Farm.A.Node, RouteReading.Named(Farm.A.Node).Node);
        Assert.Throws<InvalidOperationException>(() => RouteReading.Named(default));
    }

    private static NodeRecord Record(string name, string? address) => new(NodeId.Parse(name), Guid.NewGuid(), NodeState.Active, InFlight: 0) { Address = address };
}
