using Affinity.Stickiness;
using Affinity.TestKit;
using Microsoft.AspNetCore.Http;
using Xunit;
using static Affinity.Tests.Stickiness.StickyVisitor;

namespace Affinity.Tests.Stickiness;

public sealed class BindingLifetimeTests
{
    [Fact]
    public async Task A_browser_that_closes_is_a_new_visitor()
    {
        await using var farm = await StickyFarm.StartAsync("a b");
        var visitor = await farm.WithSessionAsync("a");

        visitor.Cookies.CloseBrowser();
        await visitor.GetOkAsync(farm["b"]);
        Assert.Empty(visitor.LastSetCookies);
        await visitor.PostOkAsync(farm["b"], "/set");

        Assert.Equal(RouteTo("b"), visitor.RouteLines());
    }

    [Fact]
    public async Task A_duration_runs_from_the_binding_is_not_renewed_before_it_has_passed_and_then_binds_anew()
    {
        await using var farm = await StartWithDurationAsync();
        var visitor = farm.NewVisitor();
        await visitor.PostOkAsync(farm["a"], "/set");
        Assert.Equal("AFF=a; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600", Assert.Single(visitor.RouteLines()));
        Assert.EndsWith("; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600", Assert.Single(visitor.LinesOf(BindingName)), StringComparison.Ordinal);

        for (var minute = 10; minute < 60; minute += 10)
        {
            await farm.PassAsync(TimeSpan.FromMinutes(10));
            await visitor.AssertQuietAsync(farm["a"], 2);
        }

        await farm.PassAsync(TimeSpan.FromMinutes(10));
        await visitor.GetOkAsync(farm["b"]);

        Assert.Equal(["AFF=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"], visitor.RouteLines());
        Assert.Single(visitor.LinesOf(BindingName));
        await visitor.AssertQuietAsync(farm["b"]);
    }

    [Fact]
    public async Task A_client_that_keeps_the_cookies_past_their_time_is_bound_anew_once()
    {
        await using var farm = await StartWithDurationAsync();
        var visitor = await farm.WithSessionAsync("a");
        visitor.Forge("AFF", "a");
        visitor.Forge(BindingName, visitor.Cookies[BindingName]!);

        await farm.PassAsync(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        await visitor.AssertQuietAsync(farm["a"], 2);
        await farm.PassAsync(TimeSpan.FromSeconds(1));
        Assert.Equal("a lapsed - > a lapsed -", await visitor.GetOkAsync(farm["a"], "/who"));

        Assert.Equal(["AFF=a; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"], visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Fact]
    public async Task On_another_node_the_duration_begins_anew()
    {
        await using var farm = await StartWithDurationAsync();
        var visitor = await farm.WithSessionAsync("a");
        await farm.PassAsync(TimeSpan.FromMinutes(30));

        await visitor.GetOkAsync(farm["b"]);

        Assert.Equal(["AFF=b; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"], visitor.RouteLines());
    }

    [Fact]
    public async Task The_apps_cookie_binds_when_it_is_issued_and_not_when_it_is_renewed()
    {
        await using var farm = await StartWithApplicationCookieAsync();
        var visitor = await farm.WithSessionAsync("a");
        Assert.Empty(visitor.RouteLines());

        await IssueAsync(visitor, farm["a"], "sid=1; Path=/");
        Assert.Equal(RouteTo("a"), visitor.RouteLines());

        await IssueAsync(visitor, farm["a"], "sid=2; Path=/");
        Assert.Empty(visitor.RouteLines());
        await visitor.AssertQuietAsync(farm["a"]);
    }

    [Theory]
    [InlineData("sid=; Path=/; Max-Age=0")]
    [InlineData("sid=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/")]
    public async Task When_the_app_removes_its_cookie_the_binding_ends_until_it_is_issued_again(string removal)
    {
        await using var farm = await StartWithApplicationCookieAsync();
        var visitor = farm.NewVisitor();
        await IssueAsync(visitor, farm["a"], "sid=1; Path=/");

        await IssueAsync(visitor, farm["a"], removal);

        Assert.Equal([Removal], visitor.RouteLines());
        Assert.Null(visitor.Cookies["sid"]);
        await visitor.AssertQuietAsync(farm["a"]);
        await IssueAsync(visitor, farm["b"], "sid=1; Path=/");
        Assert.Equal(RouteTo("b"), visitor.RouteLines());
    }

    [Fact]
    public async Task When_the_apps_cookie_expires_the_binding_ends_with_the_next_response()
    {
        await using var farm = await StartWithApplicationCookieAsync();
        var visitor = farm.NewVisitor();
        await IssueAsync(visitor, farm["a"], "sid=1; Path=/; Max-Age=60");
        await farm.PassAsync(TimeSpan.FromSeconds(59));
        await visitor.AssertQuietAsync(farm["a"], 2);

        await farm.PassAsync(TimeSpan.FromSeconds(1));
        await visitor.GetOkAsync(farm["a"]);

        Assert.Equal([Removal], visitor.RouteLines());
        Assert.Null(visitor.Cookies[BindingName]);
        await visitor.AssertQuietAsync(farm["a"]);
    }

    /// <summary>HAProxy's <c>insert</c> gives whoever has no route cookie one. It was taken for a binding whose app cookie is gone and removed, HAProxy gave it again, and so on: every second response was uncacheable.</summary>
    [Fact]
    public async Task A_route_cookie_that_the_balancer_gives_to_everybody_is_left_alone_until_the_apps_cookie_is_there_and_when_it_has_gone()
    {
        await using var farm = await StartWithApplicationCookieAsync();
        var visitor = farm.NewVisitor();
        visitor.Forge("AFF", "a");
        await visitor.AssertQuietAsync(farm["a"]);

        await IssueAsync(visitor, farm["a"], "sid=1; Path=/; Max-Age=60");
        Assert.Single(visitor.LinesOf(BindingName));
        await visitor.AssertQuietAsync(farm["a"]);

        await farm.PassAsync(TimeSpan.FromMinutes(1));
        await visitor.GetOkAsync(farm["a"]);
        Assert.Equal([Removal], visitor.RouteLines());
        visitor.Forge("AFF", "a");
        await visitor.AssertQuietAsync(farm["a"]);
    }

    /// <summary>A line that the framework's reader refuses was taken for an issue: a negative Max-Age, or a value out of the grammar, both of which browsers take.</summary>
    [Theory]
    [InlineData("sid=1", "Issued")]
    [InlineData("sid=", "Issued")]
    [InlineData("sid=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Issued")]
    [InlineData("sid=1; Max-Age=0; Max-Age=60", "Issued")]
    [InlineData("sid=1; Max-Age=soon", "Issued")]
    [InlineData("sid=1; Expires=whenever", "Issued")]
    [InlineData("sid=1; Expires=Tue, 01 Jan 2030 12:00:01 GMT", "Issued")]
    [InlineData("sid=max-age=0", "Issued")]
    [InlineData("sid=1; Max-Age=99999999999999999999999", "Issued")]
    [InlineData("sid=1; Max-Age=0", "Removed")]
    [InlineData("sid=1; max-age = 0 ; Path=/", "Removed")]
    [InlineData("sid=1; Max-Age=-1", "Removed")]
    [InlineData("sid=1; Max-Age=0; Expires=Fri, 01 Jan 2100 00:00:00 GMT", "Removed")]
    [InlineData("sid=1; Max-Age=soon; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Removed")]
    [InlineData("sid=1; Expires=Tue, 01 Jan 2030 12:00:00 GMT", "Removed")]
    [InlineData("sid=1; expires=Thu, 01-Jan-1970 00:00:00 GMT", "Removed")]
    [InlineData("sid={\"a\": \"b, c\"}; Max-Age=0", "Removed")]
    [InlineData("sid2=1; Max-Age=0", "CameWithRequest")]
    [InlineData("SID=1; Max-Age=0", "CameWithRequest")]
    [InlineData("sid", "CameWithRequest")]
    public void What_a_line_does_to_the_cookie_is_read_as_browsers_read_it(string line, string state)
    {
        var response = new DefaultHttpContext().Response;
        response.Headers.SetCookie = new[] { "other=1", line };

        Assert.Equal(state, Followed().StateOf(response, cameWithRequest: true).ToString());
    }

    [Fact]
    public void Of_several_lines_the_last_counts()
    {
        var response = new DefaultHttpContext().Response;
        response.Headers.SetCookie = new[] { "sid=; Max-Age=0", "sid=1" };

        Assert.Equal(ApplicationCookieState.Issued, Followed().StateOf(response, cameWithRequest: false));
    }

    /// <summary>A request that does not bring the cookie ends the binding, also when the app had issued it for a part of itself only; nobody was told.</summary>
    [Theory]
    [InlineData("sid=1; Path=/", "", "/account/login", false)]
    [InlineData("sid=1; path = / ; Secure", "", "/account/login", false)]
    [InlineData("sid=1; Path=/account; Path=/", "", "/account/login", false)]
    [InlineData("sid=1", "", "/login", false)]
    [InlineData("sid=1; Path=account", "", "/login", false)]
    [InlineData("sid=1; Path=/shop", "/shop", "/account/login", false)]
    [InlineData("sid=; Path=/account; Max-Age=0", "", "/account/login", false)]
    [InlineData("Path=1; path=/account", "", "/account/login", false)]
    [InlineData("sid=1; Path=/account", "", "/account/login", true)]
    [InlineData("sid=1; Path=/; Path=/account", "", "/account/login", true)]
    [InlineData("sid=1", "", "/account/login", true)]
    [InlineData("sid=1; Path=account", "", "/account/login", true)]
    [InlineData("sid=1; Path=/shop/account", "/shop", "/account/login", true)]
    public void A_cookie_that_does_not_come_with_every_request_is_told_once(string line, string pathBase, string path, bool isTold)
    {
        var log = new LogLines<ApplicationCookie>();
        var cookie = new ApplicationCookie("sid", new ManualTime(), log);
        var context = new DefaultHttpContext { Request = { PathBase = pathBase, Path = path } };
        context.Response.Headers.SetCookie = line;

        cookie.StateOf(context.Response, cameWithRequest: false);
        cookie.StateOf(context.Response, cameWithRequest: false);

        Assert.Equal(isTold ? ["ApplicationCookieNotEverywhere"] : [], log.Events);
    }

    private static ApplicationCookie Followed() => new("sid", new ManualTime(), new LogLines<ApplicationCookie>());

    private static Task<StickyFarm> StartWithDurationAsync() =>
        StickyFarm.StartAsync("a b", o => (o.Stickiness.Lifetime, o.Sessions.IdleTimeout) = (BindingLifetime.Duration, TimeSpan.FromHours(4)));

    private static Task<StickyFarm> StartWithApplicationCookieAsync() =>
        StickyFarm.StartAsync("a b", o => (o.Stickiness.Lifetime, o.Stickiness.ApplicationCookie) = (BindingLifetime.Application, "sid"));

    private static Task IssueAsync(Visitor visitor, StickyNode node, string line) => visitor.PostOkAsync(node, $"/cookie?line={Uri.EscapeDataString(line)}");
}
