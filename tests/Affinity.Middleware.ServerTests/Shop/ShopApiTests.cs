using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using Xunit;

namespace Affinity.ServerTests.Shop;

public sealed class ShopApiTests(ShopApp shop) : IClassFixture<ShopApp>
{
    private const string OneTea = """{"productId":"tea","quantity":1}""";

    // So that a fault can be compared as it reads, quotes included.
    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Theory]
    [InlineData("POST", "/api/basket", null, 400, "body is missing")]
    [InlineData("POST", "/api/basket", "null", 400, "body is missing")]
    [InlineData("POST", "/api/basket", "{", 400, "not the JSON")]
    [InlineData("POST", "/api/basket", "[]", 400, "not the JSON")]
    [InlineData("POST", "/api/basket", "{}", 400, "\"productId\":[\"The ProductId field is required.\"]")]
    [InlineData("POST", "/api/basket", """{"productId":"tea"}""", 400, "\"quantity\":[\"The Quantity field is required.\"]")]
    [InlineData("POST", "/api/basket", """{"productId":"tea","quantity":0}""", 400, "between 1 and 99")]
    [InlineData("POST", "/api/basket", """{"productId":"tea","quantity":100}""", 400, "between 1 and 99")]
    [InlineData("POST", "/api/basket", """{"productId":"tea","quantity":"two"}""", 400, "$.quantity")]
    [InlineData("POST", "/api/basket", """{"productId":"tea","quantity":1.5}""", 400, "$.quantity")]
    [InlineData("POST", "/api/basket", """{"productId":"unicorn","quantity":1}""", 404, "unicorn")]
    [InlineData("DELETE", "/api/basket/unicorn", null, 404, "unicorn")]
    [InlineData("POST", "/api/checkout", null, 409, "The basket is empty.")]
    [InlineData("POST", "/api/login", "{}", 400, "Please tell us a name.")]
    [InlineData("POST", "/api/login", """{"name":" "}""", 400, "Please tell us a name.")]
    [InlineData("POST", "/api/login", """{"name":"a\u0007b"}""", 400, "control characters")]
    [InlineData("POST", "/api/login", """{"name":7}""", 400, "$.name")]
    [InlineData("GET", "/api/nothing", null, 404, "Not Found")]
    [InlineData("PUT", "/api/basket", null, 405, "Method Not Allowed")]
    public async Task Bad_input_is_a_problem_that_names_the_fault(string method, string path, string? json, int status, string fault)
    {
        using var visitor = shop.NewVisitor();
        using var response = await visitor.SendAsync(method, path, json);
        var body = await response.Content.ReadAsStringAsync();

        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains(fault, JsonSerializer.Serialize(JsonDocument.Parse(body).RootElement, Relaxed), StringComparison.Ordinal);
        Assert.Empty(visitor.CookieNames);
    }

    [Fact]
    public async Task What_a_foreign_form_can_post_is_not_taken()
    {
        using var visitor = shop.NewVisitor();
        using var form = await visitor.PostFormAsync("/api/basket", ("productId", "tea"), ("quantity", "1"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form.StatusCode);
        Assert.Contains("The body must be application/json.", await form.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_basket_is_filled_thinned_emptied_and_ordered()
    {
        using var visitor = shop.NewVisitor();
        Assert.Equal(0, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());
        await visitor.JsonAsync("POST", "/api/basket", OneTea);
        var basket = await visitor.JsonAsync("POST", "/api/basket", """{"productId":"lamp","quantity":2}""");
        Assert.Equal((3, 890 + (2 * 6400)), (basket.GetProperty("count").GetInt32(), basket.GetProperty("total").GetInt32()));

        basket = await visitor.JsonAsync("DELETE", "/api/basket/tea");
        Assert.Equal("lamp", Assert.Single(basket.GetProperty("lines").EnumerateArray().ToArray()).GetProperty("productId").GetString());
        Assert.Equal(0, (await visitor.JsonAsync("DELETE", "/api/basket")).GetProperty("total").GetInt32());

        await visitor.JsonAsync("POST", "/api/basket", OneTea);
        var order = await visitor.JsonAsync("POST", "/api/checkout");
        Assert.Matches("^[0-9A-HJKMNP-TV-Z]{8}$", order.GetProperty("order").GetString());
        Assert.Equal(890, order.GetProperty("total").GetInt32());
        Assert.Equal(0, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Every_product_can_be_bought_and_costs_something()
    {
        using var visitor = shop.NewVisitor();
        var products = (await visitor.JsonAsync("GET", "/api/products")).EnumerateArray().ToArray();
        Assert.Equal(12, products.Length);
        foreach (var product in products)
        {
            Assert.True(product.GetProperty("cents").GetInt32() > 0);
            await visitor.JsonAsync("POST", "/api/basket", $$"""{"productId":"{{product.GetProperty("id").GetString()}}","quantity":99}""");
        }

        Assert.Equal(12 * 99, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());
        Assert.Contains("Small Radio", await visitor.OpenAsync("/basket"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_am_i_follows_sign_in_and_sign_out()
    {
        using var visitor = shop.NewVisitor();
        var nobody = await visitor.JsonAsync("GET", "/api/whoami");
        Assert.Equal(JsonValueKind.Null, nobody.GetProperty("name").ValueKind);
        Assert.Equal((ShopApp.Node, "none", "None"), Footer(nobody));

        await visitor.JsonAsync("POST", "/api/basket", OneTea);
        await visitor.JsonAsync("POST", "/api/login", """{"name":"Ada"}""");
        var ada = await visitor.JsonAsync("GET", "/api/whoami");
        Assert.Equal("Ada", ada.GetProperty("name").GetString());
        Assert.Equal("NearCache", Footer(ada).Origin);
        Assert.Equal(1, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());

        using (var response = await visitor.SendAsync("POST", "/api/logout"))
        {
            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        }

        Assert.Equal(JsonValueKind.Null, (await visitor.JsonAsync("GET", "/api/whoami")).GetProperty("name").ValueKind);
        Assert.Equal(0, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Tabs_that_add_at_once_lose_nothing()
    {
        using var visitor = shop.NewVisitor();
        await visitor.JsonAsync("POST", "/api/basket", OneTea);
        string[] products = ["tea", "lamp", "mug", "radio"];
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => visitor.JsonAsync("POST", "/api/basket", $$"""{"productId":"{{products[i % 4]}}","quantity":1}""")));
        Assert.Equal(41, (await visitor.JsonAsync("GET", "/api/basket")).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task Tabs_that_check_out_at_once_order_once()
    {
        using var visitor = shop.NewVisitor();
        await visitor.JsonAsync("POST", "/api/basket", OneTea);
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
        {
            using var response = await visitor.SendAsync("POST", "/api/checkout");
            return response.StatusCode;
        }));
        Assert.Single(answers, HttpStatusCode.OK);
        Assert.Equal(9, answers.Count(status => status == HttpStatusCode.Conflict));
        Assert.Single((await visitor.OpenAsync("/orders")).Split("<code>")[1..]);
    }

    private static (string? Node, string? Version, string? Origin) Footer(JsonElement who) =>
        (who.GetProperty("node").GetString(), who.GetProperty("version").GetString(), who.GetProperty("origin").GetString());
}
