using Affinity.Sessions;
using System.Net;
using System.Text.RegularExpressions;
using Affinity.TestKit;
using Affinity.Tests.Documentation.Snippets;
using Affinity.Tests.Sessions;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>The C# of the documents compiles, as each block is a region of a file of this project, and what it says of sessions it does.</summary>
public sealed partial class SnippetTests
{
    [Fact]
    public void Every_block_of_CSharp_in_the_documents_is_a_compiled_region()
    {
        var regions = Regions().ToHashSet(StringComparer.Ordinal);

        var strange = Blocks().Where(block => !regions.Contains(block.Code)).Select(block => $"{block.Document}:\n{block.Code}");

        Assert.Empty(strange);
    }

    [Fact]
    public void Every_compiled_region_is_shown_in_the_documents()
    {
        var blocks = Blocks().Select(block => block.Code).ToHashSet(StringComparer.Ordinal);

        Assert.NotEmpty(blocks);
        Assert.DoesNotContain(Regions(), region => !blocks.Contains(region));
    }

    [Fact]
    public async Task The_basket_keeps_what_each_request_adds()
    {
        await using var app = await PipelineApp.StartAsync(SessionSnippets.Basket);
        var visitor = new Visitor();

        await visitor.PostAsync(app.Address, "/basket/mug");
        using var second = await visitor.PostAsync(app.Address, "/basket/tea");

        Assert.Equal("""["mug","tea"]""", await second.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task With_the_store_away_the_page_says_so_and_an_order_is_a_503_with_the_apps_own_words()
    {
        await using var app = await PipelineApp.StartAsync(routes =>
        {
            SessionSnippets.CheckOut(routes);
            SessionSnippets.Welcome(routes);
            SessionSnippets.BecomeAdmin(routes);
        }, options => options.Sessions.OnStoreAway = StoreAway.Fail);
        var visitor = new Visitor();
        using var confirmed = await visitor.PostAsync(app.Address, "/checkout");
        using var admin = await visitor.PostAsync(app.Address, "/become-admin");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (confirmed.StatusCode, admin.StatusCode));
        Assert.Equal("Welcome. You have 0 things in your basket.", await visitor.GetStringAsync(app.Address, "/"));

        app.Store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        using var unconfirmed = await visitor.PostAsync(app.Address, "/checkout");
        app.Store.Break();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, unconfirmed.StatusCode);
        Assert.Equal("This did not work. Please try again in a moment.", await unconfirmed.Content.ReadAsStringAsync());
        Assert.Equal("Welcome. Your basket cannot be shown just now.", await visitor.GetStringAsync(app.Address, "/"));
    }

    private static IEnumerable<(string Document, string Code)> Blocks() =>
        Document.All.SelectMany(document => document.Blocks("csharp").Select(code => (document.Name, Unindented(code))));

    private static IEnumerable<string> Regions()
    {
        var folder = Path.Combine(Document.Root, "tests", "Affinity.Middleware.Tests", "Documentation", "Snippets");
        return Directory.EnumerateFiles(folder, "*.cs").SelectMany(file => Region().Matches(File.ReadAllText(file))).Select(match => Unindented(match.Groups["code"].Value));
    }

    private static string Unindented(string code) => string.Join('\n', code.Split('\n').Select(line => line.Trim())).Trim();

    [GeneratedRegex(@"^ *// snippet: .*?\n(?<code>.*?)^ *// end$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Region();
}
