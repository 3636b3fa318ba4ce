using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.Tests.Architecture;

public sealed partial class NamespaceTests
{
    /// <summary>
    /// Each backend has a namespace; a folder inside another stage shares the stage's. Extension methods stand where the type that they extend is found
    /// with the Web SDK's implicit usings.
    /// </summary>
    [Fact]
    public void The_namespace_is_the_folder()
        => Convention.Holds("The namespace must be that of the folder.",
            from file in SourceTree.Files
            let declared = Declaration().Matches(file.Names)
            where declared is not [var only] || (only.Groups["name"].Value != Expected(file.Folder) && !ExtendsTheFramework(file, only.Groups["name"].Value))
            select $"{file.Path}: {string.Join(", ", declared.Select(match => match.Value))} instead of {Expected(file.Folder)}");

    /// <summary>Rules, codecs, stores and the save loop are tested without a host.</summary>
    [Fact]
    public void Http_types_stay_at_the_edge()
        => Convention.Holds(
            "HTTP types belong into middlewares, cookies, options, features, extensions and the ISession view.",
            SourceTree.Files.Where(file => file.Folder.Length > 0 && !AtTheEdge().IsMatch(file.Path)).SelectMany(file => file.Find(Http(), file.Names)));

    private static string Expected(string folder)
        => folder.Length == 0 ? "Affinity"
            : folder.StartsWith("Backends/", StringComparison.Ordinal) ? "Affinity." + folder.Replace('/', '.')
            : "Affinity." + folder.Split('/')[0];

    private static bool ExtendsTheFramework(SourceFile file, string name)
        => file.Path.EndsWith("Extensions.cs", StringComparison.Ordinal)
            && name is "Microsoft.AspNetCore.Builder" or "Microsoft.AspNetCore.Http" or "Microsoft.Extensions.Hosting" or "Microsoft.Extensions.DependencyInjection";

    [GeneratedRegex(@"^\s*namespace\s+(?<name>[\w.]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\b(Microsoft\.AspNetCore\.Http\b|HttpContext\b|HttpRe(quest|sponse)\b).*", RegexOptions.ExplicitCapture)]
    private static partial Regex Http();

    // Middlewares, what writes cookies, options, features, extensions, and the views that the framework prescribes.
    [GeneratedRegex(
        @"(Middleware|Cookie|TicketWriter|StickinessReader|StickinessWriter|Options|OptionsValidator|Feature|Extensions|/AffinitySession|/AuthenticationRenewsSession|/DeveloperPageTellsFailure)\.cs$",
        RegexOptions.ExplicitCapture)]
    private static partial Regex AtTheEdge();
}
