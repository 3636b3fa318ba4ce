using System.Net;
using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.ServerTests.Shop;

public sealed partial class ShopPagesTests(ShopApp shop) : IClassFixture<ShopApp>
{
    [Fact]
    public async Task A_visitor_fills_a_basket_changes_it_and_orders()
    {
        using var visitor = shop.NewVisitor();
        Assert.Contains("Assam Tea is in your basket.", await visitor.SubmitAsync("/", "Add", ("productId", "tea")), StringComparison.Ordinal);
        await visitor.SubmitAsync("/", "Add", ("productId", "tea"));
        await visitor.SubmitAsync("/", "Add", ("productId", "lamp"));
        Assert.Contains("81.80", await visitor.OpenAsync("/basket"), StringComparison.Ordinal);

        Assert.Contains("209.80", await visitor.SubmitAsync("/basket", "Change", ("productId", "lamp"), ("quantity", "3")), StringComparison.Ordinal);
        var basket = await visitor.SubmitAsync("/basket", "Remove", ("productId", "tea"));
        Assert.DoesNotContain("Assam Tea", basket, StringComparison.Ordinal);
        Assert.Contains("192.00", basket, StringComparison.Ordinal);

        var thanks = await visitor.SubmitAsync("/basket", "CheckOut");
        var number = OrderNumber().Match(thanks).Groups["number"].Value;
        Assert.Equal(8, number.Length);
        Assert.Contains("nothing in it yet", await visitor.OpenAsync("/basket"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_thanks_for_an_order_are_said_once_and_the_order_stays_listed()
    {
        using var visitor = shop.NewVisitor();
        await visitor.SubmitAsync("/", "Add", ("productId", "honey"));
        var thanks = await visitor.SubmitAsync("/basket", "CheckOut");
        var number = OrderNumber().Match(thanks).Groups["number"].Value;

        var again = await visitor.OpenAsync("/orders");

        Assert.DoesNotMatch(OrderNumber(), again);
        Assert.Contains($"<code>{number}</code>", again, StringComparison.Ordinal);
        Assert.Contains("9.80", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_in_keeps_the_basket_and_signing_out_ends_the_visit()
    {
        using var visitor = shop.NewVisitor();
        await visitor.SubmitAsync("/", "Add", ("productId", "clock"));

        Assert.Contains("Hello, Ada.", await visitor.SubmitAsync("/signin", null, ("name", " Ada ")), StringComparison.Ordinal);
        Assert.Contains("Alarm Clock", await visitor.OpenAsync("/basket"), StringComparison.Ordinal);

        var after = await visitor.SubmitAsync("/signin", "Out");
        Assert.Contains(">Sign in</a>", after, StringComparison.Ordinal);
        Assert.Contains("nothing in it yet", await visitor.OpenAsync("/basket"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_is_text_and_never_markup()
    {
        using var visitor = shop.NewVisitor();
        var page = await visitor.SubmitAsync("/signin", null, ("name", "<b>Ada</b>"));
        Assert.Contains("&lt;b&gt;Ada&lt;/b&gt;", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>Ada", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("  ", "Please tell us a name.")]
    [InlineData("a\u0007b", "A name has no control characters.")]
    [InlineData("a name that is longer than the forty characters allowed", "A name has at most 40 characters.")]
    public async Task A_name_that_is_none_is_told_at_its_field(string name, string fault)
    {
        using var visitor = shop.NewVisitor();
        using var response = await visitor.PostAsync("/signin", null, ("name", name));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains(fault, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1000")]
    [InlineData("many")]
    [InlineData("")]
    public async Task A_quantity_that_is_none_changes_nothing_and_is_told(string quantity)
    {
        using var visitor = shop.NewVisitor();
        await visitor.SubmitAsync("/", "Add", ("productId", "mug"));
        var page = await visitor.SubmitAsync("/basket", "Change", ("productId", "mug"), ("quantity", quantity));
        Assert.Contains("A quantity is a number from 0 to 999.", page, StringComparison.Ordinal);
        Assert.Contains("18.00", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/basket")]
    [InlineData("/signin")]
    [InlineData("/orders")]
    public async Task A_page_says_which_node_answered_and_what_it_knows_of_the_session(string path)
    {
        using var visitor = shop.NewVisitor();
        Assert.Matches($"{ShopApp.Node}<.*>none<.*>None<", Flat(await visitor.OpenAsync(path)));
        await visitor.SendAsync("POST", "/api/basket", """{"productId":"tea","quantity":1}""");
        Assert.Matches($@"{ShopApp.Node}<.*>1\.[0-9a-f]{{4}}<.*>NearCache<", Flat(await visitor.OpenAsync(path)));
    }

    [Fact]
    public async Task Looking_around_begins_no_session()
    {
        using var visitor = shop.NewVisitor();
        foreach (var path in new[] { "/", "/basket", "/orders", "/signin" })
        {
            await visitor.OpenAsync(path);
        }

        Assert.All(visitor.CookieNames, name => Assert.Contains("Antiforgery", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_form_without_its_token_is_refused_with_a_page_that_helps()
    {
        using var visitor = shop.NewVisitor();
        using var response = await visitor.SendAsync("POST", "/basket?handler=CheckOut");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("Please reload it", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_a_404_with_a_page_that_helps()
    {
        using var visitor = shop.NewVisitor();
        using var page = await visitor.GetAsync("/nowhere");
        Assert.Equal(HttpStatusCode.NotFound, page.StatusCode);
        Assert.Contains("Back to the shop", await page.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var product = await visitor.PostAsync("/", "Add", ("productId", "unicorn"));
        Assert.Equal(HttpStatusCode.NotFound, product.StatusCode);
    }

    [Fact]
    public async Task The_style_sheet_is_there_and_no_page_may_run_scripts()
    {
        using var visitor = shop.NewVisitor();
        using var page = await visitor.GetAsync("/");
        Assert.Contains("script-src 'none'", page.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());

        var link = StyleSheet().Match(await page.Content.ReadAsStringAsync()).Groups["href"].Value;
        using var sheet = await visitor.GetAsync(link);
        Assert.Equal(HttpStatusCode.OK, sheet.StatusCode);
        Assert.Equal("text/css", sheet.Content.Headers.ContentType?.MediaType);
    }

    private static string Flat(string html) => html.ReplaceLineEndings(" ");

    [GeneratedRegex("<p class=\"number\">(?<number>[0-9A-HJKMNP-TV-Z]{8})</p>", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex OrderNumber();

    [GeneratedRegex("<link rel=\"stylesheet\" href=\"(?<href>[^\"]+)\"", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StyleSheet();
}
