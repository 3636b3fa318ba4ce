using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Shop;

/// <summary>Two shops that share a secret and a key directory and nothing else, behind nothing but DNS: every request may come to either.</summary>
public sealed class NoBackendTests(ITestOutputHelper output)
{
    private const int Rounds = 60;
    private static readonly string Secret = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)(i * 5))]);

    [Fact]
    public async Task Basket_and_sign_in_are_kept_over_two_shops_without_any_store_and_over_the_death_of_one()
    {
        using var keys = new TempDirectory();
        // At once, on an empty directory.
        var shops = await Task.WhenAll(AppProcess.StartAsync(Describe("a", keys)), AppProcess.StartAsync(Describe("b", keys)));
        await using var one = shops[0];
        await using var other = shops[1];
        var visitor = new Visitor();
        await SignInAsync(visitor, one);
        Assert.Equal("Ann", await NameAsync(visitor, other));

        var requests = 0;
        for (var round = 1; round <= Rounds; round++)
        {
            if (round == Rounds / 2)
            {
                one.Kill();
            }
            else if (round == Rounds * 3 / 4)
            {
                await one.RestartAsync();
            }

            var up = round >= Rounds / 2 && round < Rounds * 3 / 4 ? [other] : shops;
            Assert.Equal(round, await AddAsync(visitor, up[round % up.Length]));
            Assert.Equal(round, await CountAsync(visitor, up[(round + 1) % up.Length]));
            Assert.Equal("Ann", await NameAsync(visitor, up[round % up.Length]));
            requests += 3;
        }

        foreach (var shop in shops)
        {
            var log = shop.Output.ToString()!;
            Assert.Contains("Sessions ride in the visitors' cookies", log, StringComparison.Ordinal);
            Assert.DoesNotContain("No shared store is configured", log, StringComparison.Ordinal);
        }

        Assert.Single(Directory.EnumerateFiles(keys.Path, "*", SearchOption.AllDirectories));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{requests} requests over 2 shops and 0 store processes, one killed and started again: 0 lost, cookie of {visitor.Cookies["affinity-insecure"]!.Length} characters"));
    }

    private static async Task SignInAsync(Visitor visitor, AppProcess shop)
    {
        using var response = await visitor.PostJsonAsync(shop.BaseAddress, "/api/login", new { name = "Ann" });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>Puts one more tea into the basket; answers how many things it holds.</summary>
    private static async Task<int> AddAsync(Visitor visitor, AppProcess shop)
    {
        using var response = await visitor.PostJsonAsync(shop.BaseAddress, "/api/basket", new { productId = "tea", quantity = 1 });
        return (await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("count").GetInt32();
    }

    private static async Task<int> CountAsync(Visitor visitor, AppProcess shop)
    {
        using var basket = JsonDocument.Parse(await visitor.GetStringAsync(shop.BaseAddress, "/api/basket"));
        return basket.RootElement.GetProperty("count").GetInt32();
    }

    private static async Task<string?> NameAsync(Visitor visitor, AppProcess shop)
    {
        using var who = JsonDocument.Parse(await visitor.GetStringAsync(shop.BaseAddress, "/api/whoami"));
        return who.RootElement.GetProperty("name").GetString();
    }

    private static AppStart Describe(string node, TempDirectory keys) => new()
    {
        Dll = ShopApp.DllPath(),
        Configuration = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Affinity:Node:Id"] = node,
            ["Affinity:Secrets:0"] = Secret,
            ["Affinity:Sessions:Carrier"] = "Cookie",
            ["Affinity:Ticket:InsecureAllowHttp"] = "true",
            ["Affinity:Application"] = "shop",
            ["Affinity:KeyDirectory"] = keys.Path,
        },
    };
}
