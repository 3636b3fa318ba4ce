using Affinity.Nodes;
using Affinity.Stickiness;
using Affinity.Tickets;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Affinity.Tests.Stickiness;

public sealed class RouteCookieTests
{
    private static readonly TicketOptions Http = new() { InsecureAllowHttp = true };
    private static readonly RouteCookie Plain = Cookie("Plain");

    private readonly HttpContext _context = new DefaultHttpContext();

    [Fact]
    public void The_header_is_written_byte_for_byte()
    {
        Plain.Write(_context.Response, Farm.A, maxAge: null);
        Assert.Equal("AFF=node-a; Path=/; HttpOnly; SameSite=Lax", _context.Response.Headers.SetCookie);
    }

    [Fact]
    public void Over_TLS_it_is_secure()
    {
        Cookie("Plain", secure: true).Write(_context.Response, Farm.A, maxAge: null);
        Assert.Equal("AFF=node-a; Path=/; Secure; HttpOnly; SameSite=Lax", _context.Response.Headers.SetCookie);
    }

    [Theory]
    [InlineData(3600, "3600")]
    [InlineData(0.2, "1")]
    [InlineData(59.001, "60")]
    [InlineData(2592000, "2592000")]
    public void A_duration_is_in_whole_seconds_rounded_up(double seconds, string written)
    {
        Plain.Write(_context.Response, Farm.A, TimeSpan.FromSeconds(seconds));
        Assert.Equal($"AFF=node-a; Path=/; HttpOnly; SameSite=Lax; Max-Age={written}", _context.Response.Headers.SetCookie);
    }

    [Fact]
    public void Release_takes_it_away()
    {
        Plain.Remove(_context.Response);
        Assert.Equal("AFF=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", _context.Response.Headers.SetCookie);
    }

    /// <summary>The framework's own cookies would have <c>|</c>, <c>=</c> and <c>+</c> percent-encoded, which no balancer matches.</summary>
    [Theory]
    [InlineData("Tagged", @"^AFF=node-a\|-[A-Za-z0-9_-]{16}; Path=/; HttpOnly; SameSite=Lax$")]
    [InlineData("Suffix", @"^AFF=[A-Za-z0-9_-]{16}\.node-a; Path=/; HttpOnly; SameSite=Lax$")]
    [InlineData("EnvoyAddress", @"^AFF=Cg8xMC4xLjEuMTAwOjgwODA=; Path=/; HttpOnly; SameSite=Lax$")]
    [InlineData("Opaque", @"^AFF=[A-Za-z0-9_-]{16}; Path=/; HttpOnly; SameSite=Lax$")]
    public void Nothing_is_percent_encoded(string dialect, string pattern)
    {
        Cookie(dialect).Write(_context.Response, Farm.A, maxAge: null);
        Assert.Matches(pattern, _context.Response.Headers.SetCookie.ToString());
    }

    [Fact]
    public void An_opaque_value_is_new_each_time()
    {
        var cookie = Cookie("Opaque");
        for (var i = 0; i < 100; i++)
        {
            cookie.Write(_context.Response, Farm.A, maxAge: null);
        }

        Assert.Equal(100, _context.Response.Headers.SetCookie.Distinct(StringComparer.Ordinal).Count());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("a;b")]
    [InlineData("a,b")]
    [InlineData("a\\b")]
    [InlineData("\"a\"")]
    [InlineData("a\r\nSet-Cookie: b=c")]
    [InlineData("\u00e9")]
    [InlineData(null)]
    public void What_a_cookie_cannot_hold_is_left_out_and_told_once_with_the_dialects_name(string? value)
    {
        var log = new LogLines<GuardedDialect>();
        var cookie = new RouteCookie("AFF", new GuardedDialect(new ComputedDialect(_ => value!, needsAddress: false), log), Http);
        for (var i = 0; i < 3; i++)
        {
            cookie.Write(_context.Response, Farm.A, maxAge: null);
        }

        Assert.Equal(0, _context.Response.Headers.SetCookie.Count);
        Assert.StartsWith("The dialect ComputedDialect makes no route cookie for node node-a", log.TextOf("RouteValueNotMade"), StringComparison.Ordinal);
    }

    /// <summary>Names come and go without end where nodes are named by their hosts.</summary>
    [Fact]
    public void Only_so_many_nodes_are_told_of()
    {
        var log = new LogLines<GuardedDialect>();
        var dialect = new GuardedDialect(new ComputedDialect(_ => throw new InvalidOperationException(), needsAddress: false), log);
        for (var i = 0; i < 2 * GuardedDialect.MaxTold; i++)
        {
            Assert.Null(dialect.Write(new RouteTarget(NodeId.Parse($"n{i}")), Farm.Token));
        }

        Assert.Equal(GuardedDialect.MaxTold, log.Count("RouteValueNotMade"));
    }

    [Fact]
    public void The_longest_value_is_written_and_a_longer_one_is_not()
    {
        foreach (var length in (int[])[IAffinityDialect.MaxValueLength, IAffinityDialect.MaxValueLength + 1])
        {
            new RouteCookie("AFF", Farm.Guarded(new ComputedDialect(_ => new string('a', length), needsAddress: false)), Http).Write(_context.Response, Farm.A, maxAge: null);
        }

        Assert.StartsWith($"AFF={new string('a', IAffinityDialect.MaxValueLength)};", Assert.Single(_context.Response.Headers.SetCookie), StringComparison.Ordinal);
    }

    [Fact]
    public void The_value_may_be_any_cookie_octet_and_nothing_else()
    {
        for (var c = '\0'; c <= 'ÿ'; c++)
        {
            // RFC 6265, section 4.1.1
            var octet = c is '\x21' or (>= '\x23' and <= '\x2B') or (>= '\x2D' and <= '\x3A') or (>= '\x3C' and <= '\x5B') or (>= '\x5D' and <= '\x7E');
            Assert.Equal(octet, RouteCookie.IsValue($"a{c}b"));
        }
    }

    /// <summary>A shared cache that kept the response would send all of its visitors to one node.</summary>
    [Fact]
    public void The_response_is_not_cached_and_other_cookies_stay()
    {
        _context.Response.Headers.SetCookie = "x=1";
        _context.Response.Headers.CacheControl = "public, max-age=600";
        _context.Response.Headers["CDN-Cache-Control"] = "max-age=600";
        Plain.Write(_context.Response, Farm.A, maxAge: null);
        Assert.Equal(["x=1", "AFF=node-a; Path=/; HttpOnly; SameSite=Lax"], _context.Response.Headers.SetCookie.AsEnumerable());
        Assert.Equal("no-store", _context.Response.Headers.CacheControl);
        Assert.Equal("Cookie", _context.Response.Headers.Vary);
        Assert.False(_context.Response.Headers.ContainsKey("CDN-Cache-Control"));
    }

    [Theory]
    [InlineData("", "absent")]
    [InlineData("x=1; aff=node-a; XAFF=node-a; AFFX=node-a", "absent")]
    [InlineData("x=1;AFF=node-a;y=2", "node-a")]
    [InlineData("AFF=", "unrecognised")]
    [InlineData("AFF=node%2Da", "unrecognised")]
    [InlineData("AFF=\"node-a\"", "unrecognised")]
    [InlineData("AFF=node-a; AFF=Node_B", "node-a")] // as nginx and Apache
    [InlineData("AFF=%%%; AFF=Node_B", "Node_B")] // as HAProxy
    [InlineData("AFF=%%%; AFF=...", "unrecognised")]
    [InlineData("AFF=1.; AFF=2.; AFF=3.; AFF=node-a", "unrecognised")] // the fourth is not looked at
    [InlineData("AFF=1.; AFF=1.; AFF=1.; AFF=node-a", "node-a")] // equal ones are one
    public void The_first_that_names_a_node_counts(string header, string said)
    {
        _context.Request.Headers.Cookie = header;
        Assert.Equal(said, Farm.Said(Plain.Read(_context.Request, Farm.Live)));
    }

    [Fact]
    public void Every_line_of_the_header_is_read()
    {
        _context.Request.Headers.Cookie = new[] { "AFF=%%%", "x=1", "AFF=Node_B" };
        Assert.Equal("Node_B", Farm.Said(Plain.Read(_context.Request, Farm.Live)));
    }

    [Fact]
    public void A_dialect_is_not_asked_about_an_over_long_value()
    {
        _context.Request.Headers.Cookie = "AFF=" + new string('a', IAffinityDialect.MaxValueLength + 1);
        Assert.Equal(RouteReading.Unrecognised, new RouteCookie("AFF", Farm.Guarded(new Credulous()), Http).Read(_context.Request, Farm.Live));
        _context.Request.Headers.Cookie = "AFF=" + new string('a', IAffinityDialect.MaxValueLength);
        Assert.Equal("node-a", Farm.Said(new RouteCookie("AFF", Farm.Guarded(new Credulous()), Http).Read(_context.Request, Farm.Live)));
    }

    private static RouteCookie Cookie(string dialect, bool secure = false) => new("AFF", Farm.Guarded(Farm.Dialects[dialect]), new TicketOptions { InsecureAllowHttp = !secure });

    private sealed class Credulous : IAffinityDialect
    {
        public bool Steers => true;

        public bool NeedsAddress => false;

        public string Write(RouteTarget target, string token) => target.Node.Value;

        public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => RouteReading.Named(live[0].Node);
    }
}
