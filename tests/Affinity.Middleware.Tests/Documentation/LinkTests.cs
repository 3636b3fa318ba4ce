using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>What the documents point to is there.</summary>
public sealed partial class LinkTests
{
    [Fact]
    public void Every_link_to_a_file_or_heading_of_this_repository_resolves()
    {
        var broken = Document.All.SelectMany(document => Link().Matches(document.Text)
            .Select(match => match.Groups["target"].Value)
            .Where(target => !target.StartsWith("https://", StringComparison.Ordinal) && !Resolves(document, target))
            .Select(target => $"{document.Name}: {target}"));

        Assert.Empty(broken);
    }

    [Fact]
    public void Every_test_that_is_cited_exists()
    {
        var tests = string.Concat(Directory.EnumerateFiles(Path.Combine(Document.Root, "tests"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));
        var cited = Document.All.SelectMany(document => CitedTest().Matches(document.Text).Select(match => match.Groups["name"].Value)).ToList();

        Assert.NotEmpty(cited);
        Assert.DoesNotContain(cited, name => !tests.Contains($" {name}(", StringComparison.Ordinal));
    }

    private static bool Resolves(Document document, string target)
    {
        var parts = target.Split('#', 2);
        var path = parts[0].Length == 0 ? document.Name : Path.Combine(Path.GetDirectoryName(document.Name)!, parts[0]);
        var full = Path.GetFullPath(path, Document.Root);
        return File.Exists(full) && (parts.Length == 1 || Heading().Matches(File.ReadAllText(full)).Any(match => string.Equals(AnchorOf(match.Groups["text"].Value), parts[1], StringComparison.Ordinal)));
    }

    // As GitHub makes them.
    private static string AnchorOf(string heading) =>
        string.Concat(heading.ToLowerInvariant().Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')).Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<target>[^)\s]+)\)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Heading();

    [GeneratedRegex(@"`(?<name>[A-Z]\w*(_\w+){3,})`", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex CitedTest();
}
