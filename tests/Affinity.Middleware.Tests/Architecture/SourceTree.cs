using System.Text.RegularExpressions;
using Affinity.TestKit;

namespace Affinity.Tests.Architecture;

/// <summary>The sources of src, for the conventions that a compiler does not hold. A backend in a package of its own counts as one more folder below Backends.</summary>
internal static class SourceTree
{
    public static string Project { get; } = Path.Combine(
        Repository.Root ?? throw new InvalidOperationException("These tests run from the repository's build output only."), "src", "Affinity.Middleware");

    public static IReadOnlyList<SourceFile> Files { get; } = [.. Below(Project, ""), .. Below(Path.Combine(Project, "..", "Affinity.Postgres"), "Backends/Postgres/")];

    private static IEnumerable<SourceFile> Below(string project, string folder) => Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories)
        .Select(path => Path.GetRelativePath(project, path).Replace('\\', '/'))
        .Where(path => !path.StartsWith("bin/", StringComparison.Ordinal) && !path.StartsWith("obj/", StringComparison.Ordinal))
        .Order(StringComparer.Ordinal)
        .Select(path => new SourceFile(folder + path, File.ReadAllText(Path.Combine(project, path))));
}

/// <param name="Path">From the project's folder, with slashes: <c>Nodes/NodeId.cs</c>.</param>
/// <param name="Text">As it is written.</param>
internal sealed partial record SourceFile(string Path, string Text)
{
    /// <summary><c>Nodes</c>, <c>Backends/Redis</c>; empty for the root.</summary>
    public string Folder { get; } = System.IO.Path.GetDirectoryName(Path)!.Replace('\\', '/');

    /// <summary>The text without comments; the lines stay where they are.</summary>
    public string Code { get; } = Tokens().Replace(Text, token => token.Value[0] == '/' ? Emptied(token.Value) : token.Value);

    /// <summary>The text without comments, strings and characters; the lines stay where they are.</summary>
    public string Names { get; } = Tokens().Replace(Text, token => Emptied(token.Value));

    /// <summary>Every place where the pattern is found, as <c>Nodes/NodeId.cs:12: what was found</c>.</summary>
    public IEnumerable<string> Find(Regex pattern, string text) => pattern.Matches(text).Select(match => At(match, text));

    public string At(Capture capture, string text) => $"{Path}:{text.AsSpan(0, capture.Index).Count('\n') + 1}: {capture.Value.Trim()}";

    private static string Emptied(string token) => new('\n', token.Count(c => c == '\n'));

    // Comments, and the strings and characters in which something may look like one.
    [GeneratedRegex(""""//[^\n]*|/\*(?s:.*?)\*/|\$*"""(?s:.*?)"""|(\$?@|@\$)"(?:[^"]|"")*"|\$?"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'"""", RegexOptions.ExplicitCapture)]
    private static partial Regex Tokens();
}
