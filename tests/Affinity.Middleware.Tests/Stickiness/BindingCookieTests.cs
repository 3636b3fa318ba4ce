using Affinity.Stickiness;
using Affinity.Tests.Tickets;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class BindingCookieTests
{
    private readonly HttpContext _context = new DefaultHttpContext();
    private readonly string _text = Sample.Golden("binding-v1.txt");

    [Theory]
    [InlineData(null, "")]
    [InlineData(3600.0, "; Max-Age=3600")]
    [InlineData(0.2, "; Max-Age=1")]
    [InlineData(59.001, "; Max-Age=60")]
    [InlineData(2592000.0, "; Max-Age=2592000")]
    public void The_header_is_written_byte_for_byte(double? seconds, string age)
    {
        Assert.True(Cookie().TryWrite(_context.Response, BindingSample.Whole, seconds is { } time ? TimeSpan.FromSeconds(time) : null));
        Assert.Equal($"__Host-affinity-binding={_text}; Path=/; Secure; HttpOnly; SameSite=Lax{age}", _context.Response.Headers.SetCookie);
    }

    [Fact]
    public async Task By_plain_http_it_has_another_name_and_another_signature()
    {
        var cookie = Cookie(secure: false);
        Assert.True(cookie.TryWrite(_context.Response, BindingSample.Whole, maxAge: null));
        Assert.Matches("^affinity-insecure-binding=[A-Za-z0-9_-]{96}; Path=/; HttpOnly; SameSite=Lax$", _context.Response.Headers.SetCookie.ToString());

        _context.Request.Headers.Cookie = $"affinity-insecure-binding={_text}";
        Assert.Equal(BindingReading.Refused(TicketReasons.BadMac), await cookie.ReadAsync(_context.Request, CancellationToken.None));
    }

    [Fact]
    public void Removal_has_the_same_attributes()
    {
        Cookie().Remove(_context.Response);
        Assert.Equal(
            "__Host-affinity-binding=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", _context.Response.Headers.SetCookie);
        Assert.Equal("no-store", _context.Response.Headers.CacheControl);
    }

    [Fact]
    public void The_response_is_not_cached_and_other_cookies_stay()
    {
        _context.Response.Headers.SetCookie = "x=1";
        _context.Response.Headers.CacheControl = "public, max-age=600";
        Cookie().TryWrite(_context.Response, BindingSample.Whole, maxAge: null);
        Assert.Equal(["x=1", $"__Host-affinity-binding={_text}; Path=/; Secure; HttpOnly; SameSite=Lax"], _context.Response.Headers.SetCookie.AsEnumerable());
        Assert.Equal(("no-store", "Cookie"), (_context.Response.Headers.CacheControl.ToString(), _context.Response.Headers.Vary.ToString()));
    }

    /// <summary>A vault that was never reached must not cost a response, as stickiness is never what makes one correct.</summary>
    [Fact]
    public void Without_a_key_nothing_is_written()
    {
        var cookie = new BindingCookie(new TicketScope(Sample.Application, []), new FixedKeys(), new TicketOptions());
        Assert.False(cookie.TryWrite(_context.Response, BindingSample.Whole, maxAge: null));
        AssertUntouched();
    }

    /// <summary>Another node tells its track by the directory, and whatever it told would have failed this node's responses.</summary>
    [Fact]
    public void A_track_that_no_reader_takes_is_not_written()
    {
        Assert.False(Cookie().TryWrite(_context.Response, BindingSample.Whole with { Track = "blue; Domain=example.org" }, maxAge: null));
        AssertUntouched();
    }

    [Fact]
    public async Task What_was_written_is_read_among_other_cookies()
    {
        _context.Request.Headers.Cookie = new[] { "__Host-affinity=x; __Host-affinity-binding2=y", $"a=b;__Host-affinity-binding={_text}; c=d" };
        Assert.Equal(BindingReading.Valid(BindingSample.Whole), await Cookie().ReadAsync(_context.Request, CancellationToken.None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("__Host-affinity=x; __host-affinity-binding=x; affinity-insecure-binding=x; __Host-affinity-binding")]
    public async Task Other_cookies_are_none(string header)
    {
        _context.Request.Headers.Cookie = header;
        Assert.Equal(BindingReading.None, await Cookie().ReadAsync(_context.Request, CancellationToken.None));
    }

    private static BindingCookie Cookie(bool secure = true) => new(new TicketScope(Sample.Application, []), new FixedKeys(Sample.Key()), new TicketOptions { InsecureAllowHttp = !secure });

    private void AssertUntouched()
    {
        Assert.Equal(0, _context.Response.Headers.SetCookie.Count);
        Assert.False(_context.Response.Headers.ContainsKey("Cache-Control"));
    }
}
