using System.Net;
using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class StickinessStageTests
{
    private readonly Visitor _visitor = new();

    [Fact]
    public async Task A_visitor_who_begins_a_session_is_bound_to_the_node_that_served_them_and_gets_no_further_cookie()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"]);
        await SendAsync(farm, "a", "/set");
        Assert.Contains("AFF=a; Path=/; Secure; HttpOnly; SameSite=Lax", _visitor.LastSetCookies);
        using var later = await _visitor.GetAsync(farm["a"], "/get");
        Assert.Empty(_visitor.LastSetCookies);
        Assert.False(later.Headers.Contains("Cache-Control"));
        Assert.Equal("a bound_here ", await _visitor.GetStringAsync(farm["a"], "/affinity"));
    }

    [Fact]
    public async Task A_visitor_without_a_session_is_bound_only_when_the_options_say_always()
    {
        await using (var farm = await StickyFarm.StartAsync(["a"]))
        {
            await SendAsync(farm, "a", "/");
            Assert.Empty(_visitor.LastSetCookies);
        }

        await using var always = await StickyFarm.StartAsync(["a"], options => options.Stickiness.Bind = BindMoment.Always);
        await SendAsync(always, "a", "/");
        Assert.Equal("a", Route());
        await SendAsync(always, "a", "/");
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task Turned_off_nothing_is_read_or_written()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options => options.Stickiness.Enabled = false);
        await SendAsync(farm, "a", "/set");
        Assert.Null(Route());
        Assert.Equal("  ", await _visitor.GetStringAsync(farm["a"], "/affinity"));
    }

    [Theory]
    [InlineData(OtherNodePolicy.Reassign, "b")]
    [InlineData(OtherNodePolicy.Keep, "a")]
    public async Task A_request_that_comes_to_another_node_follows_the_policy_with_at_most_one_cookie(OtherNodePolicy policy, string bound)
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options => options.Stickiness.OnOtherNode = policy);
        await SendAsync(farm, "a", "/set");
        await SendAsync(farm, "b", "/get");
        Assert.Equal((bound, policy == OtherNodePolicy.Reassign ? 1 : 0), (Route(), _visitor.LastSetCookies.Count));
        await SendAsync(farm, "b", "/get");
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task After_a_node_has_died_its_visitor_moves_once_and_stays_when_it_is_back()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b", "c"]);
        await SendAsync(farm, "a", "/set");
        await farm.KillAsync("a");
        Assert.Equal("1", await _visitor.GetStringAsync(farm["b"], "/get"));
        Assert.Equal("b", Route());
        await farm.StartNodeAsync("a");
        await farm.BeatAsync();
        await SendAsync(farm, "b", "/get");
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task A_draining_node_first_keeps_its_visitors_then_sends_them_away_and_can_take_it_back()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"]);
        await SendAsync(farm, "a", "/set");
        Assert.Equal(1, farm.Node("a").Bound.Count);

        await farm.DrainAsync("a");
        await SendAsync(farm, "a", "/get");
        Assert.Equal("a", Route());
        var newcomer = new Visitor();
        (await newcomer.GetAsync(farm["a"], "/")).Dispose();
        Assert.Equal("b", Route(newcomer));

        await farm.DrainAsync("a", evacuates: true);
        await SendAsync(farm, "a", "/get");
        Assert.Equal("b", Route());
        Assert.Equal(0, farm.Node("a").Bound.Count);

        await farm.TakeBackAsync("a");
        newcomer = new Visitor();
        (await newcomer.PostAsync(farm["a"], "/set")).Dispose();
        Assert.Equal("a", Route(newcomer));
    }

    [Fact]
    public async Task When_all_nodes_drain_everybody_is_served_and_nobody_is_sent_to_and_fro()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"]);
        await SendAsync(farm, "a", "/set");
        await farm.DrainAsync("a");
        await farm.DrainAsync("b", evacuates: true);
        for (var i = 0; i < 20; i++)
        {
            await SendAsync(farm, i % 2 == 0 ? "a" : "b", "/get");
            Assert.Empty(_visitor.LastSetCookies);
        }
    }

    [Theory]
    [InlineData(UnboundRequests.Rebind, HttpStatusCode.OK, "b")]
    [InlineData(UnboundRequests.Serve, HttpStatusCode.OK, null)]
    [InlineData(UnboundRequests.Refuse, HttpStatusCode.ServiceUnavailable, null)]
    public async Task What_a_draining_node_does_with_visitors_who_are_bound_to_nobody_is_an_option(UnboundRequests unbound, HttpStatusCode status, string? route)
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options => options.Drain.UnboundRequests = unbound);
        await farm.DrainAsync("a");
        using var response = await _visitor.GetAsync(farm["a"], "/");
        Assert.Equal((status, route), (response.StatusCode, Route()));
        Assert.Equal(status == HttpStatusCode.OK ? "hello" : "", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_binding_for_a_duration_ends_at_its_time_and_is_not_renewed_before()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options =>
        {
            options.Stickiness.Lifetime = BindingLifetime.Duration;
            options.Stickiness.Duration = TimeSpan.FromMinutes(5);
        });
        await SendAsync(farm, "a", "/set");
        Assert.Contains(_visitor.LastSetCookies, cookie => cookie.StartsWith("AFF=a;", StringComparison.Ordinal) && cookie.EndsWith("; Max-Age=300", StringComparison.Ordinal));
        farm.Time.Advance(TimeSpan.FromMinutes(4));
        await farm.BeatAsync();
        await SendAsync(farm, "a", "/get");
        Assert.Empty(_visitor.LastSetCookies);
        farm.Time.Advance(TimeSpan.FromMinutes(1));
        await farm.BeatAsync();
        await SendAsync(farm, "b", "/get");
        Assert.Equal("b", Route());
    }

    [Fact]
    public async Task A_binding_follows_the_apps_cookie_and_ends_with_it()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options =>
        {
            options.Stickiness.Lifetime = BindingLifetime.Application;
            options.Stickiness.ApplicationCookie = "login";
        });
        await SendAsync(farm, "a", "/set");
        Assert.Null(Route());
        await SendAsync(farm, "a", "/issue");
        Assert.Equal("a", Route());
        await SendAsync(farm, "a", "/issue");
        Assert.Single(_visitor.LastSetCookies);
        await SendAsync(farm, "a", "/remove");
        Assert.Null(Route());
    }

    [Fact]
    public async Task A_visitor_stays_on_the_version_that_they_started_with_and_moves_signed_in_when_it_is_gone()
    {
        await using var farm = await StickyFarm.StartAsync(["a:blue", "b:blue", "c:green"]);
        await SendAsync(farm, "a", "/");
        Assert.Contains(_visitor.LastSetCookies, cookie => cookie.StartsWith("__Host-affinity-binding=", StringComparison.Ordinal));
        await SendAsync(farm, "a", "/set");
        await SendAsync(farm, "c", "/get");
        Assert.Equal("a", Route());
        await farm.KillAsync("a");
        await SendAsync(farm, "c", "/get");
        Assert.Equal("b", Route());
        await farm.KillAsync("b");
        Assert.Equal("1", await _visitor.GetStringAsync(farm["c"], "/get"));
        Assert.Equal("c", Route());
        Assert.Equal("c bound_here green", await _visitor.GetStringAsync(farm["c"], "/affinity"));
    }

    [Theory]
    [InlineData(AffinityDialect.Suffix, @"^[\w-]{16}\.a$")]
    [InlineData(AffinityDialect.Tagged, @"^a\|-[\w-]{16}$")]
    [InlineData(AffinityDialect.EnvoyAddress, "^Cg0xMC4wLjAuMTo4MDgw$")]
    [InlineData(AffinityDialect.Opaque, @"^[\w-]{16}$")]
    public async Task Every_dialect_binds_with_one_cookie(AffinityDialect dialect, string value)
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options => options.Stickiness.Dialect = dialect);
        await SendAsync(farm, "a", "/set");
        Assert.Matches(value, Route());
        await SendAsync(farm, "a", "/get");
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task A_dialect_of_the_apps_own_takes_the_place_of_the_options()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], build: affinity => affinity.UseDialect(ComputedDialect.ArrCookie()));
        await SendAsync(farm, "a", "/set");
        Assert.Matches("^[0-9A-F]{64}$", Route());
        await SendAsync(farm, "a", "/get");
        Assert.Empty(_visitor.LastSetCookies);
        Assert.Equal("a bound_here ", await _visitor.GetStringAsync(farm["a"], "/affinity"));
    }

    [Theory]
    [InlineData(RouteOwnership.Balancer)]
    [InlineData(RouteOwnership.Learned)]
    public async Task Where_the_balancer_decides_a_visitor_is_moved_by_dropping_the_cookie(RouteOwnership ownership)
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"], options => options.Stickiness.Ownership = ownership);
        _visitor.Cookies.Receive(farm["a"], "AFF=its-own; Path=/");
        await SendAsync(farm, "a", "/set");
        var route = Route();
        Assert.NotNull(route);
        await SendAsync(farm, "a", "/get");
        Assert.Empty(_visitor.LastSetCookies);

        await farm.DrainAsync("a", evacuates: true);
        await SendAsync(farm, "a", "/get");
        Assert.Null(Route());
    }

    [Theory]
    [InlineData("gone")]
    [InlineData("a.b.c.d")]
    [InlineData("%61")]
    [InlineData("\"a\"")]
    [InlineData("../../etc/passwd")]
    [InlineData("a;b")]
    public async Task A_forged_route_cookie_is_replaced_once_and_its_request_is_served(string value)
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"]);
        await SendAsync(farm, "b", "/set");
        _visitor.Cookies.Receive(farm["b"], $"AFF={value}; Path=/; Secure");
        Assert.Equal("1", await _visitor.GetStringAsync(farm["b"], "/get"));
        Assert.Equal("b", Route());
        await SendAsync(farm, "b", "/get");
        Assert.Empty(_visitor.LastSetCookies);
    }

    [Fact]
    public async Task A_long_route_cookie_and_many_of_them_are_served_like_any_other()
    {
        await using var farm = await StickyFarm.StartAsync(["a", "b"]);
        using var client = new HttpClient();
        foreach (var header in (string[])["AFF=" + new string('x', 8000), string.Join("; ", Enumerable.Range(0, 50).Select(i => $"AFF=n{i}"))])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(farm["a"], "/get"));
            request.Headers.TryAddWithoutValidation("Cookie", header);
            using var response = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }
    }

    private async Task SendAsync(StickyFarm farm, string node, string path)
    {
        using var response = path is "/set" or "/end" or "/issue" or "/remove" ? await _visitor.PostAsync(farm[node], path) : await _visitor.GetAsync(farm[node], path);
        response.EnsureSuccessStatusCode();
        Assert.Equal(node, response.Headers.GetValues("X-Node").Single());
    }

    private string? Route(Visitor? visitor = null) => (visitor ?? _visitor).Cookies.All().SingleOrDefault(cookie => cookie.Name == "AFF")?.Value;
}
