using System.Text.RegularExpressions;
using Affinity.TestKit;
using ShopFarm.Balancers;
using Xunit;

namespace Affinity.BalancerTests;

/// <summary>
/// docs/balancers.md shows the configurations that these tests run, for three nodes at 10.0.0.1 to 10.0.0.3. Each stands in a block below a comment with the name of its template.
/// After a template has changed: UPDATE_BALANCER_DOCS=1.
/// </summary>
public sealed partial class DocumentTests
{
    private static readonly string Path = System.IO.Path.Combine(
        Repository.Root ?? throw new InvalidOperationException("These tests read the working copy they were built from."), "docs", "balancers.md");

    [Fact]
    public void Every_template_is_shown_as_it_is_rendered()
    {
        if (Environment.GetEnvironmentVariable("UPDATE_BALANCER_DOCS") == "1")
        {
            File.WriteAllText(Path, Block().Replace(File.ReadAllText(Path), block => block.Groups["head"].Value + Rendered(block.Groups["name"].Value) + "```"));
        }

        var shown = Block().Matches(File.ReadAllText(Path)).ToDictionary(block => block.Groups["name"].Value, block => block.Groups["text"].Value, StringComparer.Ordinal);

        Assert.Equal(BalancerTemplate.All.Select(template => template.Name).Order(StringComparer.Ordinal), shown.Keys.Order(StringComparer.Ordinal));
        Assert.All(shown, block => Assert.Equal(Rendered(block.Key), block.Value));
    }

    private static string Rendered(string name)
    {
        var tracks = name.EndsWith("-tracks", StringComparison.Ordinal);
        var nodes = Enumerable.Range(1, 3).Select(i => new BalancedNode($"n{i}", $"10.0.0.{i}", 8080, (tracks, i) switch { (false, _) => null, (true, 3) => "green", _ => "blue" }));
        return BalancerTemplate.Of(name).Render(new BalancerPlan("0.0.0.0", 80, [.. nodes]));
    }

    [GeneratedRegex(@"(?<head><!-- (?<name>[\w-]+) -->\n```\w*\n)(?<text>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex Block();
}
