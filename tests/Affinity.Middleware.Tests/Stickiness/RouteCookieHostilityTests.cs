using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

/// <summary>Whatever stands in the cookies, the visitor is served, gets a right one at most once, and no log tells what stood there.</summary>
public sealed class RouteCookieHostilityTests
{
    // In every value, so that the logs can be searched for it.
    private const string Mark = "Mallory";

    private static readonly string[] Values =
    [
        "", Mark, $"%6Dallory{Mark}", $"\"{Mark}\"", $"\"{Mark}", $"{Mark}.a", $"a|{Mark}", $"../{Mark}", $"http://{Mark}.example/", $"{Mark}{{0}}%n%s", $"{Mark} {Mark}", $"{Mark},a",
        new string('x', 8192) + Mark, $"{Mark}-{new string('a', 300)}", $"Cg8x{Mark}", $"{Mark}\\r\\nSet-Cookie: x=y", $"{Mark}=a=b", $"{Mark}\u00c3\u00a9", $"{Mark}\t",
    ];

    [Theory]
    [InlineData(AffinityDialect.Plain)]
    [InlineData(AffinityDialect.Suffix)]
    [InlineData(AffinityDialect.Tagged)]
    [InlineData(AffinityDialect.EnvoyAddress)]
    public async Task A_forged_route_is_served_and_replaced_once(AffinityDialect dialect)
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => (o.Stickiness.Dialect, o.Node.Address) = (dialect, $"10.1.1.1:80{o.Node.Id![0]:D}"));
        var visitor = await farm.WithSessionAsync("a");
        var ticket = visitor.Cookies[TicketName];
        foreach (var value in Values)
        {
            var (status, head) = await RawRequest.GetAsync(farm["a"].Address, $"AFF={value}; {TicketName}={ticket}");
            Assert.Equal(200, status);
            if (NamesThisNode(dialect, value))
            {
                Assert.Empty(SetCookies(head));
            }
            else
            {
                var line = Assert.Single(SetCookies(head));
                Assert.StartsWith("AFF=", line, StringComparison.Ordinal);
                Assert.DoesNotContain(Mark, line, StringComparison.Ordinal);
                var (_, second) = await RawRequest.GetAsync(farm["a"].Address, $"{line.Split(';')[0]}; {TicketName}={ticket}");
                Assert.Empty(SetCookies(second));
            }

            var (anonymous, _) = await RawRequest.GetAsync(farm["a"].Address, $"AFF={value}");
            Assert.Equal(200, anonymous);
        }

        AssertLogsTellNothing(farm);
    }

    /// <summary>Kestrel itself refuses what no header may hold; whatever else comes through is served.</summary>
    [Fact]
    public async Task No_byte_of_a_route_cookie_fails_a_request_behind_the_server()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var served = 0;
        for (var c = 1; c < 256; c++)
        {
            var (status, head) = await RawRequest.GetAsync(farm["a"].Address, $"AFF=a{(char)c}{Mark}");

            // Not valid UTF-8, or a control character: answered by Kestrel.
            Assert.True(status == 200 || (status == 400 && (c < ' ' || c > 126)), $"Byte {c} was answered {status}.");
            Assert.DoesNotContain(head, line => line.Contains(Mark, StringComparison.Ordinal));
            served += status == 200 ? 1 : 0;
        }

        Assert.InRange(served, 95, 255);
        Assert.Equal(served, farm["a"].Runs);
    }

    [Fact]
    public async Task Fifty_duplicates_are_served_with_at_most_one_cookie()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");
        var many = string.Join("; ", Enumerable.Range(0, 50).Select(i => $"AFF={Mark}.{i}"));

        var (status, head) = await RawRequest.GetAsync(farm["a"].Address, $"{many}; {TicketName}={visitor.Cookies[TicketName]}");

        Assert.Equal(200, status);
        Assert.Equal(RouteTo("a"), SetCookies(head));
        AssertLogsTellNothing(farm);
    }

    /// <summary>
    /// Another system's cookie of the same name with a longer path comes first, and none of ours replaces it. It named a node to which nobody is bound here, so every response was made uncacheable with
    /// one more cookie, for ever.
    /// </summary>
    [Theory]
    [InlineData("ghost")]
    [InlineData("b")]
    [InlineData("%%%")]
    public async Task A_foreign_cookie_that_cannot_be_replaced_costs_one_cookie_and_not_one_with_each_response(string foreign)
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");
        visitor.Forge("AFF", foreign, path: "/page");

        for (var i = 0; i < 5; i++)
        {
            await visitor.GetOkAsync(farm["a"]);
            Assert.Empty(visitor.LastSetCookies);
        }
    }

    [Theory]
    [InlineData("garbage")]
    [InlineData("foreign")]
    [InlineData("old-key")]
    [InlineData("flipped")]
    [InlineData("over-long")]
    public async Task A_binding_that_is_not_ours_is_served_and_replaced_once(string kind)
    {
        await using var farm = await StickyFarm.StartAsync("a/blue b/blue");
        var visitor = farm.NewVisitor();
        await visitor.GetOkAsync(farm["a"]);
        var forged = Forged(kind, visitor.Cookies[BindingName]!, farm);
        visitor.Forge(BindingName, forged);

        await visitor.GetOkAsync(farm["a"]);

        Assert.Single(visitor.LinesOf(BindingName));
        Assert.NotEqual(forged, visitor.Cookies[BindingName]);
        await visitor.AssertQuietAsync(farm["a"]);
        AssertLogsTellNothing(farm, forged);
    }

    [Fact]
    public async Task Where_no_binding_is_signed_a_foreign_one_is_left_where_it_is()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");
        visitor.Forge(BindingName, Mark);

        await visitor.AssertQuietAsync(farm["a"]);

        await visitor.GetOkAsync(farm["b"]);
        Assert.Null(visitor.Cookies[BindingName]);
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task A_binding_that_cannot_be_verified_for_a_fault_of_ours_is_neither_replaced_nor_removed_nor_refused()
    {
        var keys = new FixedKeys(Sample.Key()) { LookUp = KeyLookup.Unreachable };
        await using var farm = await StickyFarm.StartAsync(
            "a/blue b/blue",
            o => (o.Stickiness.Ownership, o.Drain.UnboundRequests) = (RouteOwnership.Balancer, UnboundRequests.Refuse),
            builder => builder.Services.AddSingleton<ISigningKeys>(keys));
        var visitor = farm.NewVisitor();
        visitor.Forge("AFF", "c");
        visitor.Forge(BindingName, BindingSample.Codec().Encode(new Binding(NodeId.Parse("a")), Sample.Key(id: 77)));

        await visitor.AssertQuietAsync(farm["a"], 4);
        await farm.AskAsync("a", NodeWish.Drain);
        await farm.PassAsync(new DrainOptions().Notice);
        await visitor.AssertQuietAsync(farm["a"], 4);
    }

    [Fact]
    public async Task Without_a_key_to_sign_with_the_response_succeeds()
    {
        await using var farm = await StickyFarm.StartAsync("a/blue b/blue", build: builder => builder.Services.AddSingleton<ISigningKeys>(new FixedKeys()));
        var visitor = farm.NewVisitor();

        await visitor.GetOkAsync(farm["a"]);

        Assert.Equal(RouteTo("a"), visitor.LastSetCookies);
    }

    /// <summary>Forged as they are: what is left of them leads here, so that there is nothing to replace.</summary>
    private static bool NamesThisNode(AffinityDialect dialect, string value) => (dialect, value) is (AffinityDialect.Suffix, Mark + ".a") or (AffinityDialect.Tagged, "a|" + Mark);

    private static string Forged(string kind, string genuine, StickyFarm farm)
    {
        var binding = new Binding(NodeId.Parse("b")) { Track = "blue", TrackUntil = Sample.Now.AddDays(1) };
        return kind switch
        {
            "garbage" => Mark,
            "foreign" => BindingSample.Codec(application: "another").Encode(binding, farm["a"].Get<ISigningKeys>().Current!),
            "old-key" => BindingSample.Codec().Encode(binding, new SecretSigningKeys([Sample.OtherSecret], farm.Time).Current),
            "flipped" => genuine[..^5] + (genuine[^5] == 'A' ? 'B' : 'A') + genuine[^4..],
            "over-long" => genuine + new string('A', 8192),
            _ => throw new ArgumentOutOfRangeException(nameof(kind)),
        };
    }

    private static string[] SetCookies(string[] head) => [.. head.Where(line => line.StartsWith("Set-Cookie: ", StringComparison.OrdinalIgnoreCase)).Select(line => line["Set-Cookie: ".Length..])];

    private static void AssertLogsTellNothing(StickyFarm farm, string value = Mark)
    {
        Assert.NotEmpty(farm.Log.Entries);
        Assert.DoesNotContain(farm.Log.Entries, entry => entry.Message.Contains(value, StringComparison.Ordinal) || entry.Message.Contains(Mark, StringComparison.Ordinal));
    }
}
