using System.Text.RegularExpressions;
using Affinity.TestKit;

namespace Affinity.Tests.Documentation;

/// <summary>A markdown file of this repository: README.md, CHANGELOG.md and what lies in docs/.</summary>
internal sealed partial record Document(string Name, string Text)
{
    public static string Root => Repository.Root ?? throw new InvalidOperationException("These tests read the working copy they were built from.");

    public static IReadOnlyList<Document> All { get; } =
        [.. Directory.EnumerateFiles(Root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(Root, "docs"), "*.md")).Order(StringComparer.Ordinal).Select(Read)];

    public static Document Of(string name) => All.Single(document => string.Equals(document.Name, name, StringComparison.Ordinal));

    /// <summary>The contents of the fenced blocks of a language.</summary>
    public IEnumerable<string> Blocks(string language) =>
        Fence().Matches(Text).Where(match => match.Groups["language"].ValueSpan.SequenceEqual(language)).Select(match => match.Groups["code"].Value);

    /// <summary>The rows of all tables below a heading and above the next of its level, headers included; cells trimmed.</summary>
    public IEnumerable<string[]> Rows(string? heading = null)
    {
        var text = Text;
        if (heading is not null)
        {
            var start = text.IndexOf($"\n{heading}\n", StringComparison.Ordinal) + heading.Length + 2;
            var end = text.IndexOf($"\n{heading[..heading.IndexOf(' ', StringComparison.Ordinal)]} ", start, StringComparison.Ordinal);
            text = end < 0 ? text[start..] : text[start..end];
        }

        return text.Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries));
    }

    /// <summary>The text of a cell that is one code span; null for another one.</summary>
    public static string? Code(string cell) => cell is ['`', .. var code, '`'] && !code.Contains('`', StringComparison.Ordinal) ? code : null;

    private static Document Read(string path) => new(Path.GetRelativePath(Root, path).Replace('\\', '/'), File.ReadAllText(path));

    [GeneratedRegex(@"^```(?<language>\w+)\n(?<code>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Fence();
}
