using Affinity.Tickets;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class CookieValuesTests
{
    [Theory]
    [InlineData("t=a", "a")]
    [InlineData("x=1; t=a; y=2", "a")]
    [InlineData("x=1;t=a;y=2", "a")]
    [InlineData(" \t t=a \t ; y=2", "a")]
    [InlineData("t=a=b", "a=b")]
    [InlineData("t=%41", "%41")]
    [InlineData("t=\"a\"", "\"a\"")]
    [InlineData("t=", "")]
    [InlineData("t=a; t=a", "a")]
    [InlineData("t=a; t=b; t=a", "a,b")]
    [InlineData("t=c; t=b; t=a", "c,b,a")]
    public void Values_are_read_raw_in_their_order_and_equal_ones_once(string header, string expected) =>
        Assert.Equal(expected, Read(header));

    [Theory]
    [InlineData("")]
    [InlineData("T=a")]
    [InlineData("xt=a; tx=b; t")]
    [InlineData("x=t=a")]
    [InlineData("t =a")]
    [InlineData("x=a, t=b")]
    public void Other_names_are_not_ours(string header) => Assert.Equal(0, CookieValues.Read(header, "t").Count);

    [Fact]
    public void Every_line_of_the_header_counts() => Assert.Equal("a,b", Read("t=a", "x=1", "t=b"));

    [Fact]
    public void A_fourth_different_value_is_ignored_and_told()
    {
        var three = CookieValues.Read("t=a; t=b; t=c; t=a", "t");
        Assert.Equal((3, false), (three.Count, three.More));
        var four = CookieValues.Read("t=a; t=b; t=c; t=d", "t");
        Assert.Equal((3, true), (four.Count, four.More));
    }

    [Theory]
    [InlineData("t-2=a", true)]
    [InlineData("x=1; t-9=", true)]
    [InlineData("t-1=a; t-0=a; t-x=a; t-22=a; t-=a; t-2; xt-2=a; x=t-2=a", false)]
    public void A_number_behind_the_name_is_noticed(string header, bool expected)
    {
        var values = CookieValues.Read(header, "t");
        Assert.Equal((0, expected), (values.Count, values.HasNumbered));
    }

    [Fact]
    public void No_cookie_at_all_is_nothing() => Assert.Equal(0, CookieValues.Read(StringValues.Empty, "t").Count);

    private static string Read(params string[] lines)
    {
        var values = CookieValues.Read(lines, "t");
        return string.Join(',', Enumerable.Range(0, values.Count).Select(i => values[i].ToString()));
    }
}
