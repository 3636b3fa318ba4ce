using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class CookieJarTests
{
    private static readonly Uri NodeA = new("http://127.0.0.1:5001/shop/basket");
    private static readonly Uri NodeB = new("http://127.0.0.1:5002/shop/basket");
    private readonly ManualTime _time = new();
    private readonly CookieJar _jar;

    public CookieJarTests() => _jar = new CookieJar(_time);

    [Fact]
    public void A_cookie_goes_to_every_port_of_its_host_and_to_no_other_host()
    {
        _jar.Receive(NodeA, "AFF=node-a; Path=/");
        Assert.Equal("AFF=node-a", _jar.HeaderFor(NodeB));
        Assert.Null(_jar.HeaderFor(new Uri("http://localhost:5001/")));
    }

    [Fact]
    public void Secure_and_host_prefixed_cookies_travel_over_plain_http_on_loopback_only()
    {
        _jar.Receive(NodeA, "__Host-s=1; Path=/; Secure; HttpOnly");
        Assert.Equal("__Host-s=1", _jar.HeaderFor(NodeB));
        _jar.Receive(new Uri("http://shop.example/"), "__Host-s=1; Path=/; Secure");
        _jar.Receive(new Uri("https://shop.example/"), "s=1; Path=/; Secure");
        Assert.Null(_jar.HeaderFor(new Uri("http://shop.example/")));
        Assert.Equal("s=1", _jar.HeaderFor(new Uri("https://shop.example/")));
    }

    [Theory]
    [InlineData("__Host-s=1; Path=/")]
    [InlineData("__Host-s=1; Secure")]
    [InlineData("__Host-s=1; Path=/; Secure; Domain=127.0.0.1")]
    [InlineData("__Secure-s=1; Path=/")]
    [InlineData("s=1; SameSite=None")]
    [InlineData("s=1; Domain=other.example")]
    [InlineData("=1")]
    [InlineData("nothing")]
    [InlineData("s=a\u0001b")]
    public void What_a_browser_refuses_is_refused_with_a_reason(string line)
    {
        _jar.Receive(NodeA, line);
        Assert.Empty(_jar.All());
        Assert.Single(_jar.Refused);
    }

    [Fact]
    public void More_than_4096_bytes_are_refused()
    {
        _jar.Receive(NodeA, $"s={new string('x', 4095)}");
        Assert.NotNull(_jar["s"]);
        _jar.Receive(NodeA, $"t={new string('x', 4096)}");
        Assert.Null(_jar["t"]);
    }

    [Theory]
    [InlineData("s=; Max-Age=0; Path=/")]
    [InlineData("s=x; Max-Age=-1; Path=/")]
    [InlineData("s=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/")]
    [InlineData("s=; expires=Thu, 01 Jan 2099 00:00:00 GMT; max-age=0; path=/")]
    public void A_cookie_is_deleted_by_its_end(string deletion)
    {
        _jar.Receive(NodeA, "s=1; Path=/");
        _jar.Receive(NodeB, deletion);
        Assert.Null(_jar.HeaderFor(NodeA));
    }

    [Fact]
    public void A_deletion_for_another_path_deletes_nothing()
    {
        _jar.Receive(NodeA, "s=1; Path=/");
        _jar.Receive(NodeA, "s=; Max-Age=0");
        Assert.Equal("s=1", _jar.HeaderFor(NodeA));
    }

    [Fact]
    public void A_cookie_ends_at_its_max_age()
    {
        _jar.Receive(NodeA, "s=1; Max-Age=60; Path=/");
        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal("1", _jar["s"]);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(_jar["s"]);
    }

    [Fact]
    public void Paths_match_by_whole_segments_and_the_longest_is_sent_first()
    {
        _jar.Receive(NodeA, "a=root; Path=/");
        _jar.Receive(NodeA, "a=shop; Path=/shop");
        _jar.Receive(NodeA, "a=default");
        _jar.Receive(NodeA, "b=2; Path=/");
        Assert.Equal("a=default; a=root; b=2", _jar.HeaderFor(NodeA));
        Assert.Equal("a=root; b=2", _jar.HeaderFor(new Uri("http://127.0.0.1/shopping")));
    }

    [Fact]
    public void A_clone_holds_the_same_cookies_and_goes_its_own_way()
    {
        _jar.Receive(NodeA, "s=1; Path=/");
        var clone = _jar.Clone();
        _jar.Receive(NodeA, "s=2; Path=/");
        Assert.Equal("1", clone["s"]);
        Assert.Equal("2", _jar["s"]);
    }

    [Fact]
    public void Closing_the_browser_keeps_only_cookies_with_an_end()
    {
        _jar.Receive(NodeA, "session=1; Path=/");
        _jar.Receive(NodeA, "lasting=1; Path=/; Max-Age=60");
        _jar.CloseBrowser();
        Assert.Equal("lasting=1", _jar.HeaderFor(NodeA));
    }
}
