using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

/// <summary>Dialects and ownerships through the whole stage.</summary>
public sealed class DialectStageTests
{
    private static readonly Dictionary<string, string> Addresses = new(StringComparer.Ordinal) { ["a"] = "10.1.1.100:8080", ["b"] = "10.1.1.101:8080", ["c"] = "10.1.1.102:8080" };

    [Theory]
    [InlineData(AffinityDialect.Plain, "^a$", "^b$")]
    [InlineData(AffinityDialect.Suffix, @"^[A-Za-z0-9_-]{16}\.a$", @"^[A-Za-z0-9_-]{16}\.b$")]
    [InlineData(AffinityDialect.Tagged, @"^a\|-[A-Za-z0-9_-]{16}$", @"^b\|-[A-Za-z0-9_-]{16}$")]
    [InlineData(AffinityDialect.EnvoyAddress, "^Cg8xMC4xLjEuMTAwOjgwODA=$", "^Cg8xMC4xLjEuMTAxOjgwODA=$")]
    public async Task A_dialect_that_steers_binds_once_moves_once_and_is_quiet(AffinityDialect dialect, string here, string there)
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => (o.Stickiness.Dialect, o.Node.Address) = (dialect, Addresses[o.Node.Id!]));

        await AssertBindsAndMovesAsync(farm, here, there);
    }

    /// <summary>What the options name counts no more, also in what a signed cookie is needed for: with Opaque there, the app's own dialect was taken for one that does not steer.</summary>
    [Theory]
    [InlineData(AffinityDialect.Plain)]
    [InlineData(AffinityDialect.Opaque)]
    public async Task A_dialect_of_the_apps_own_takes_the_place_of_the_one_in_the_options(AffinityDialect inOptions)
    {
        await using var farm = await StickyFarm.StartAsync(
            "a b",
            o => (o.Stickiness.Dialect, o.Node.Address) = (inOptions, Addresses[o.Node.Id!]),
            builder => new AffinityBuilder(builder.Services).UseDialect(ComputedDialect.CaddyCookie("s3cret")));

        await AssertBindsAndMovesAsync(farm, $"^{Caddy("a")}$", $"^{Caddy("b")}$");
    }

    /// <summary>A peer that tells no address could be chosen, and then the cookie was removed instead of leading to one that can be named.</summary>
    [Fact]
    public async Task A_peer_without_an_address_is_no_target()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => (o.Stickiness.Dialect, o.Node.Address) = (AffinityDialect.EnvoyAddress, Addresses.GetValueOrDefault(o.Node.Id!)));
        await farm.AddAsync("c", o => (o.Stickiness.Dialect, o.Node.Address) = (AffinityDialect.Plain, null));
        await farm.AddAsync("d", o => (o.Stickiness.Dialect, o.Node.Address) = (AffinityDialect.Plain, null));
        await farm.AskAsync("a", NodeWish.Drain);

        for (var i = 0; i < 20; i++)
        {
            var visitor = farm.NewVisitor();
            await visitor.GetOkAsync(farm["a"]);
            Assert.Equal(RouteTo("Cg8xMC4xLjEuMTAxOjgwODA="), visitor.RouteLines());
        }
    }

    /// <summary>
    /// A balancer hashes the value to a node, or remembers which one wrote it. Each node wrote a new one for whoever came, which led to another node, which did the same: a visitor of three nodes
    /// went round for as long as the dice said so.
    /// </summary>
    [Theory]
    [InlineData(RouteOwnership.App)]
    [InlineData(RouteOwnership.Learned)]
    public async Task An_opaque_value_settles_with_the_node_that_the_balancer_takes_it_for(RouteOwnership ownership)
    {
        await using var farm = await StickyFarm.StartAsync("a b c", o => (o.Stickiness.Dialect, o.Stickiness.Ownership) = (AffinityDialect.Opaque, ownership));
        for (var i = 0; i < 10; i++)
        {
            var visitor = farm.NewVisitor();
            await visitor.PostOkAsync(farm["a"], "/set");
            Assert.Single(visitor.RouteLines());
            Assert.Single(visitor.LinesOf(BindingName));

            var taken = ownership == RouteOwnership.Learned ? "a" : Hashed(visitor);
            await visitor.GetOkAsync(farm[taken]);

            Assert.Empty(visitor.RouteLines());
            await visitor.AssertQuietAsync(farm[taken], 4);
        }
    }

    /// <summary>The documents named it for balancers that hash: a visitor of eight nodes got a dozen cookies, and a draining node did not empty.</summary>
    [Fact]
    public async Task Learned_is_not_for_a_balancer_that_hashes()
    {
        await using var farm = await StickyFarm.StartAsync("a b c", o => (o.Stickiness.Dialect, o.Stickiness.Ownership) = (AffinityDialect.Opaque, RouteOwnership.Learned));
        var cookies = 0;
        for (var i = 0; i < 10; i++)
        {
            var visitor = await farm.WithSessionAsync("a");
            for (var request = 0; request < 8; request++)
            {
                await visitor.GetOkAsync(farm[Hashed(visitor)]);
                cookies += visitor.RouteLines().Length;
            }
        }

        // With App there are none. That all ten first values hash to a has the chance of a third to the tenth.
        Assert.NotEqual(0, cookies);
    }

    [Fact]
    public async Task An_opaque_value_is_rolled_again_when_the_node_drains()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Stickiness.Dialect = AffinityDialect.Opaque);
        var visitor = await farm.WithSessionAsync("a");
        var before = visitor.Cookies["AFF"];
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);

        await visitor.GetOkAsync(farm["a"]);

        Assert.Single(visitor.RouteLines());
        Assert.NotEqual(before, visitor.Cookies["AFF"]);
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task The_balancers_own_cookie_is_left_alone_and_dropped_only_to_move_the_visitor()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Stickiness.Ownership = RouteOwnership.Balancer);
        var (visitor, anonymous) = (farm.NewVisitor(), farm.NewVisitor());
        visitor.Forge("AFF", "whatever%20the/balancer=likes");
        anonymous.Forge("AFF", "b");
        await anonymous.AssertQuietAsync(farm["a"]);

        await visitor.PostOkAsync(farm["a"], "/set");
        Assert.Empty(visitor.RouteLines());
        Assert.Single(visitor.LinesOf(BindingName));
        await visitor.AssertQuietAsync(farm["a"]);

        await visitor.GetOkAsync(farm["b"]);
        Assert.StartsWith(BindingName, Assert.Single(visitor.LastSetCookies), StringComparison.Ordinal);
        await visitor.AssertQuietAsync(farm["b"]);

        await farm.AskAsync("b", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);
        await visitor.GetOkAsync(farm["b"]);
        Assert.Equal([Removal], visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task A_cookie_that_the_balancer_learns_is_new_on_each_node_and_dropped_to_move_the_visitor()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Stickiness.Ownership = RouteOwnership.Learned);
        var visitor = farm.NewVisitor();
        await visitor.PostOkAsync(farm["a"], "/set");
        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
        await visitor.GetOkAsync(farm["b"]);
        Assert.Equal(RouteTo("b"), visitor.RouteLines());

        await farm.AskAsync("b", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);
        await visitor.GetOkAsync(farm["b"]);

        Assert.Equal([Removal], visitor.RouteLines());
        await visitor.GetOkAsync(farm["a"]);
        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
    }

    /// <summary>
    /// Each of the other nodes counted a correction, which it could not write. After three the bound node took the balancer for one that does not obey, and the visitor had no cookie for as long as the browser was open.
    /// </summary>
    [Fact]
    public async Task A_visitor_whose_learned_cookie_was_dropped_gets_a_new_one_from_the_bound_node_however_late_they_come_there()
    {
        await using var farm = await StickyFarm.StartAsync("a b c d e f", o => (o.Stickiness.Ownership, o.Stickiness.OnOtherNode) = (RouteOwnership.Learned, OtherNodePolicy.Keep));
        var visitor = await farm.WithSessionAsync("a");
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);
        var bound = (await visitor.GetOkAsync(farm["a"], "/who")).Split(' ')[4];
        Assert.Equal([Removal], visitor.RouteLines());

        foreach (var other in "b c d e f".Split(' ').Where(node => node != bound))
        {
            await visitor.AssertQuietAsync(farm[other], 1);
        }

        await visitor.GetOkAsync(farm[bound]);
        Assert.Equal(RouteTo(bound), visitor.LastSetCookies);
        await visitor.AssertQuietAsync(farm[bound], 4);
    }

    /// <summary>A table of the app's own does not know the node that was added last. Every visitor with a route cookie got 500 from all nodes.</summary>
    [Fact]
    public async Task A_node_that_the_apps_dialect_does_not_know_is_no_target_and_nobody_is_refused()
    {
        var values = new ConcurrentDictionary<string, string>(StringComparer.Ordinal) { ["a"] = "first", ["b"] = "second", ["c"] = "third" };
        await using var farm = await StickyFarm.StartAsync("a b", build: builder => new AffinityBuilder(builder.Services).UseDialect(new ComputedDialect(target => values[target.Node.Value], needsAddress: false)));
        var visitor = await farm.WithSessionAsync("a");
        await farm.AddAsync("c");
        values.Remove("c", out _);
        await farm.BeatAsync();
        await farm.BeatAsync();

        await visitor.AssertQuietAsync(farm["a"], 4);
        await visitor.GetOkAsync(farm["b"]);
        Assert.Equal(RouteTo("second"), visitor.RouteLines());

        await farm.AskAsync("a", NodeWish.Drain);
        for (var i = 0; i < 10; i++)
        {
            var another = farm.NewVisitor();
            await another.GetOkAsync(farm["a"]);
            Assert.Equal(RouteTo("second"), another.RouteLines());
        }

        Assert.Equal(2, farm.Log.Count("RouteValueNotMade"));
        Assert.All(farm.Log.Warnings.Where(text => text.Contains("ComputedDialect", StringComparison.Ordinal)), text => Assert.Contains("node c", text, StringComparison.Ordinal));
    }

    /// <summary>What the app had saved by then was answered with 500.</summary>
    [Fact]
    public async Task A_dialect_that_fails_when_the_response_starts_costs_the_cookie_and_nothing_else()
    {
        var works = true;
        await using var farm = await StickyFarm.StartAsync("a", build: builder => new AffinityBuilder(builder.Services).UseDialect(new ComputedDialect(target => works ? target.Node.Value : throw new InvalidOperationException("It fails on purpose."), needsAddress: false)));
        var visitor = farm.NewVisitor();
        works = false;

        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.Empty(visitor.RouteLines());
        Assert.Equal("1", await visitor.GetOkAsync(farm["a"], "/get"));
        works = true;
        await visitor.GetOkAsync(farm["a"]);
        Assert.Equal(RouteTo("a"), visitor.RouteLines());
    }

    [Fact]
    public async Task A_dialect_that_fails_on_what_a_client_sends_takes_it_for_a_foreign_value()
    {
        await using var farm = await StickyFarm.StartAsync("a", build: builder => new AffinityBuilder(builder.Services).UseDialect(new Touchy()));
        var visitor = await farm.WithSessionAsync("a");
        visitor.Forge("AFF", "anything");

        await visitor.GetOkAsync(farm["a"]);

        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        visitor.Forge("AFF", "anything");
        await visitor.GetOkAsync(farm["a"]);
        Assert.Equal(1, farm.Log.Count("RouteValueNotRead"));
    }

    private static async Task AssertBindsAndMovesAsync(StickyFarm farm, string here, string there)
    {
        var visitor = await farm.WithSessionAsync("a");
        Assert.Matches(here, visitor.Cookies["AFF"]);
        Assert.Empty(visitor.LinesOf(BindingName));
        await visitor.AssertQuietAsync(farm["a"]);

        await visitor.GetOkAsync(farm["b"]);
        Assert.Matches(there, visitor.Cookies["AFF"]);
        Assert.Single(visitor.LastSetCookies);
        await visitor.AssertQuietAsync(farm["b"]);
    }

    private sealed class Touchy : IAffinityDialect
    {
        public bool Steers => true;

        public bool NeedsAddress => false;

        public string Write(RouteTarget target, string token) => target.Node.Value;

        public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => RouteReading.Named(NodeId.Parse(value[..1].ToString() == "a" && value.Length == 1 ? "a" : ""));
    }

    private static string Caddy(string node) => Convert.ToHexStringLower(HMACSHA256.HashData("s3cret"u8, Encoding.UTF8.GetBytes(Addresses[node])));

    private static string Hashed(Visitor visitor) => ((string[])["a", "b", "c"])[SHA256.HashData(Encoding.ASCII.GetBytes(visitor.Cookies["AFF"]!))[0] % 3];
}
