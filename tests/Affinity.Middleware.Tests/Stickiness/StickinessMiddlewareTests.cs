using System.Net;
using Affinity.Stickiness;
using Affinity.Tests.Sessions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

public sealed class StickinessMiddlewareTests
{
    [Fact]
    public async Task The_response_that_begins_a_session_binds_byte_for_byte_and_is_not_cached()
    {
        await using var farm = await StickyFarm.StartAsync("a");
        var visitor = farm.NewVisitor();

        using var response = await visitor.PostAsync(farm["a"].Address, "/cacheable");

        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        Assert.Single(visitor.LinesOf(TicketName));
        Assert.Empty(visitor.LinesOf(BindingName));
        Assert.Equal("no-store", response.Headers.CacheControl!.ToString());
        Assert.Equal(["Cookie"], response.Headers.Vary);
        Assert.Empty(visitor.Cookies.Refused);
    }

    /// <summary>Browsers keep cookies per host, whatever the port. The binding's name was fixed, so two apps overwrote each other's, and each request was answered with a new one.</summary>
    [Fact]
    public async Task Two_apps_on_one_host_with_names_of_their_own_leave_each_others_cookies_alone()
    {
        await using var shop = await StickyFarm.StartAsync("a/blue", o => (o.Ticket.CookieName, o.Stickiness.CookieName) = ("__Host-shop", "SHOP"));
        await using var desk = await StickyFarm.StartAsync("d/red", o => (o.Application, o.Ticket.CookieName, o.Stickiness.CookieName) = ("desk", "__Host-desk", "DESK"));
        var visitor = shop.NewVisitor();

        await visitor.PostOkAsync(shop["a"], "/set");
        await visitor.PostOkAsync(desk["d"], "/set");

        Assert.Single(visitor.LinesOf("__Host-desk-binding"));
        await visitor.AssertQuietAsync(shop["a"], 4);
        await visitor.AssertQuietAsync(desk["d"], 4);
        Assert.Equal("a bound_here blue > a bound_here blue", await visitor.GetOkAsync(shop["a"], "/who"));
    }

    [Fact]
    public async Task By_plain_http_the_cookie_is_not_secure()
    {
        await using var farm = await StickyFarm.StartAsync("a", o => o.Ticket.InsecureAllowHttp = true);
        var visitor = farm.NewVisitor();

        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.Equal(["AFF=a; Path=/; HttpOnly; SameSite=Lax"], visitor.RouteLines());
    }

    [Fact]
    public async Task A_visitor_without_a_session_gets_no_cookie_and_a_response_that_can_be_cached()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = farm.NewVisitor();

        using var response = await visitor.GetAsync(farm["a"].Address, "/page");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie") || response.Headers.Contains("Vary") || response.Headers.Contains("Cache-Control"));
    }

    [Fact]
    public async Task A_bound_visitors_later_responses_carry_no_cookie_and_can_be_cached()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");

        using var response = await visitor.GetAsync(farm["a"].Address, "/page");

        Assert.False(response.Headers.Contains("Set-Cookie") || response.Headers.Contains("Vary") || response.Headers.Contains("Cache-Control"));
        await visitor.AssertQuietAsync(farm["a"]);
        await visitor.PostOkAsync(farm["a"], "/set");
        Assert.Empty(visitor.RouteLines());
    }

    [Fact]
    public async Task Bind_always_binds_with_the_first_response_and_with_no_later_one()
    {
        await using var farm = await StickyFarm.StartAsync("a", o => o.Stickiness.Bind = BindMoment.Always);
        var visitor = farm.NewVisitor();

        await visitor.GetOkAsync(farm["a"]);

        Assert.Equal(RouteTo("a"), visitor.LastSetCookies);
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task Switched_off_nothing_is_read_or_written()
    {
        await using var farm = await StickyFarm.StartAsync("a/blue b/green", o => (o.Stickiness.Enabled, o.Stickiness.Bind) = (false, BindMoment.Always));
        var visitor = farm.NewVisitor();
        visitor.Forge("AFF", "b");

        await visitor.PostOkAsync(farm["a"], "/set");

        Assert.StartsWith(TicketName + "=", Assert.Single(visitor.LastSetCookies), StringComparison.Ordinal);
        Assert.Equal("- - - > - - -", await visitor.GetOkAsync(farm["a"], "/who"));
        Assert.Equal("b", visitor.Cookies["AFF"]);
        Assert.Equal(0, farm["a"].Membership.Bound.Count);
    }

    [Theory]
    [InlineData("POST", "/set", 200)]
    [InlineData("HEAD", "/set", 200)]
    [InlineData("POST", "/redirect", 302)]
    [InlineData("POST", "/not-modified", 304)]
    [InlineData("POST", "/flush", 200)]
    [InlineData("POST", "/stream", 200)]
    public async Task Whatever_way_a_response_starts_the_session_that_it_begins_is_bound_with_it_once(string method, string path, int status)
    {
        await using var farm = await StickyFarm.StartAsync("a");
        var visitor = farm.NewVisitor();
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(farm["a"].Address, path));

        using var response = await visitor.SendAsync(request);

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(RouteTo("a"), visitor.RouteLines());
        Assert.Single(visitor.LinesOf(TicketName));
        Assert.Equal(2, visitor.LastSetCookies.Count);
        Assert.Equal("1", await visitor.GetOkAsync(farm["a"], "/get"));
    }

    [Fact]
    public async Task The_page_of_a_fault_whose_session_is_not_saved_binds_nobody_and_unbinds_nobody()
    {
        await using var farm = await StickyFarm.StartAsync("a");
        var newcomer = farm.NewVisitor();
        using (var response = await newcomer.PostAsync(farm["a"].Address, "/throw"))
        {
            Assert.Equal((HttpStatusCode.InternalServerError, "sorry"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        }

        Assert.Empty(newcomer.LastSetCookies);
        var bound = await farm.WithSessionAsync("a");
        using (await bound.PostAsync(farm["a"].Address, "/throw"))
        {
            Assert.Empty(bound.LastSetCookies);
        }

        await bound.AssertQuietAsync(farm["a"], 2);
    }

    /// <summary>The app's exception handler re-runs what stands behind it. With the pipeline behind it everything was registered twice, and two route cookies went out.</summary>
    [Fact]
    public async Task A_pipeline_that_an_exception_handler_runs_twice_decides_once()
    {
        await using var app = await PipelineApp.StartAsync(app =>
        {
            app.UseExceptionHandler("/error");
            app.UseAffinity();
            app.MapPost("/throw", void () => throw new InvalidOperationException("The handler fails on purpose."));
            app.Map("/error", (HttpContext context) => context.Session.SetString("x", "1"));
        });
        var visitor = new TestKit.Visitor();

        using var response = await visitor.PostAsync(app.Address, "/throw");

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Single(visitor.RouteLines());
    }

    [Fact]
    public async Task Who_logs_out_stays_bound_without_a_further_cookie()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");

        await visitor.PostOkAsync(farm["a"], "/abandon");

        Assert.Empty(visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
        Assert.Equal("a", visitor.Cookies["AFF"]);
    }

    [Fact]
    public async Task A_session_that_ends_with_the_request_that_begins_it_binds_nobody()
    {
        await using var farm = await StickyFarm.StartAsync("a");
        var visitor = farm.NewVisitor();

        await visitor.PostOkAsync(farm["a"], "/begin-and-abandon");

        Assert.Empty(visitor.RouteLines());
    }

    [Fact]
    public async Task A_visitor_whom_the_balancer_sends_elsewhere_is_bound_there_once_and_has_their_session()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");

        Assert.Equal("1", await visitor.GetOkAsync(farm["b"], "/get"));

        Assert.Equal(RouteTo("b"), visitor.LastSetCookies);
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task With_Keep_a_visitor_whom_the_balancer_sends_elsewhere_stays_bound_and_gets_no_cookie()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Stickiness.OnOtherNode = OtherNodePolicy.Keep);
        var visitor = await farm.WithSessionAsync("a");

        await visitor.AssertQuietAsync(farm["b"]);

        Assert.Equal("a other_node - > a other_node -", await visitor.GetOkAsync(farm["b"], "/who"));
    }

    [Fact]
    public async Task A_dead_nodes_visitor_is_bound_anew_once_when_it_counts_as_dead_and_stays_when_it_comes_back()
    {
        await using var farm = await StickyFarm.StartAsync("a b", o => o.Stickiness.OnOtherNode = OtherNodePolicy.Keep);
        var visitor = await farm.WithSessionAsync("a");
        await visitor.AssertQuietAsync(farm["b"], 2);

        await farm.KillAsync("a");
        Assert.Equal("1", await visitor.GetOkAsync(farm["b"], "/get"));
        Assert.Equal(RouteTo("b"), visitor.LastSetCookies);

        await farm.AddAsync("a");
        await farm.BeatAsync();
        await visitor.AssertQuietAsync(farm["b"]);
        await visitor.AssertQuietAsync(farm["a"], 2);
        Assert.Equal("b", visitor.Cookies["AFF"]);
    }

    [Fact]
    public async Task A_node_that_restarts_under_its_name_is_the_same_to_its_visitors()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");
        await farm.KillAsync("a");
        await farm.AddAsync("a");
        await farm.BeatAsync();

        await visitor.AssertQuietAsync(farm["a"]);

        Assert.Equal("1", await visitor.GetOkAsync(farm["a"], "/get"));
    }

    [Fact]
    public async Task A_cookie_to_a_node_that_never_was_is_replaced_or_without_a_session_removed()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var (visitor, anonymous) = (await farm.WithSessionAsync("a"), farm.NewVisitor());
        visitor.Forge("AFF", "ghost");
        anonymous.Forge("AFF", "ghost");

        await visitor.GetOkAsync(farm["a"]);
        await anonymous.GetOkAsync(farm["a"]);

        Assert.Equal(RouteTo("a"), visitor.LastSetCookies);
        Assert.Equal([Removal], anonymous.LastSetCookies);
        await visitor.AssertQuietAsync(farm["a"]);
        await anonymous.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task The_app_is_told_before_and_after_the_decision()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");

        Assert.Equal("a other_node - > b other_node -", await visitor.GetOkAsync(farm["b"], "/who"));
        Assert.Equal("b bound_here - > b bound_here -", await visitor.GetOkAsync(farm["b"], "/who"));
        Assert.Equal("- nothing_to_bind_for - > - nothing_to_bind_for -", await farm.NewVisitor().GetOkAsync(farm["b"], "/who"));
    }
}
