using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class TicketCookieTests
{
    private readonly HttpResponse _response = new DefaultHttpContext().Response;

    [Fact]
    public void A_ticket_is_a_host_cookie_for_this_browser_session()
    {
        new TicketCookie(new TicketOptions()).Write(_response, "abc");
        Assert.Equal("__Host-affinity=abc; Path=/; Secure; HttpOnly; SameSite=Lax", _response.Headers.SetCookie);
    }

    [Fact]
    public void Removal_has_the_same_attributes()
    {
        new TicketCookie(new TicketOptions()).Remove(_response);
        Assert.Equal(
            "__Host-affinity=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", _response.Headers.SetCookie);
        Assert.Equal("no-store", _response.Headers.CacheControl);
    }

    [Fact]
    public void The_insecure_switch_drops_secure_and_the_prefix()
    {
        new TicketCookie(new TicketOptions { InsecureAllowHttp = true, SameSite = SameSiteMode.Strict }).Write(_response, "abc");
        Assert.Equal("affinity-insecure=abc; Path=/; HttpOnly; SameSite=Strict", _response.Headers.SetCookie);
    }

    [Fact]
    public void A_name_of_ones_own_is_used()
    {
        new TicketCookie(new TicketOptions { CookieName = "__Host-shop", SameSite = SameSiteMode.None }).Write(_response, "abc");
        Assert.Equal("__Host-shop=abc; Path=/; Secure; HttpOnly; SameSite=None", _response.Headers.SetCookie);
    }

    [Fact]
    public void Other_cookies_stay()
    {
        _response.Headers.SetCookie = "x=1";
        new TicketCookie(new TicketOptions()).Write(_response, "abc");
        Assert.Equal("x=1,__Host-affinity=abc; Path=/; Secure; HttpOnly; SameSite=Lax", _response.Headers.SetCookie.ToString());
        Assert.Equal(2, _response.Headers.SetCookie.Count);
    }

    [Fact]
    public void A_ticket_is_never_cached_whatever_the_app_says()
    {
        _response.Headers.CacheControl = "public, max-age=600";
        _response.Headers["CDN-Cache-Control"] = "max-age=600";
        _response.Headers["Surrogate-Control"] = "max-age=600";
        _response.Headers.ETag = "\"1\"";
        new TicketCookie(new TicketOptions()).Write(_response, "abc");
        Assert.Equal("no-store", _response.Headers.CacheControl);
        Assert.False(_response.Headers.ContainsKey("CDN-Cache-Control"));
        Assert.False(_response.Headers.ContainsKey("Surrogate-Control"));
        Assert.Equal("\"1\"", _response.Headers.ETag);
    }

    [Theory]
    [InlineData(new string[0], new[] { "Cookie" })]
    [InlineData(new[] { "Accept-Encoding" }, new[] { "Accept-Encoding", "Cookie" })]
    [InlineData(new[] { "Origin, cookie" }, new[] { "Origin, cookie" })]
    [InlineData(new[] { "Origin", "Cookie" }, new[] { "Origin", "Cookie" })]
    [InlineData(new[] { "Cookies" }, new[] { "Cookies", "Cookie" })]
    [InlineData(new[] { "*" }, new[] { "*" })]
    public void The_response_varies_by_cookie(string[] before, string[] after)
    {
        _response.Headers.Vary = before;
        new TicketCookie(new TicketOptions()).Write(_response, "abc");
        Assert.Equal(after, _response.Headers.Vary.ToArray());
    }
}
