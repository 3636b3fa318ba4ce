using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Xunit;

namespace Affinity.Tests.Architecture;

public sealed partial class TypeTests
{
    private static readonly Type[] Types = [.. typeof(AffinityOptions).Assembly.GetTypes().Concat(typeof(Affinity.Backends.Postgres.PostgresOptions).Assembly.GetTypes()).Where(IsWritten)];

    // What the Web SDK imports by itself.
    private static readonly string[] ImplicitUsings =
    [
        "System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Net.Http.Json", "System.Threading", "System.Threading.Tasks",
        "Microsoft.AspNetCore.Builder", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Http", "Microsoft.AspNetCore.Routing",
        "Microsoft.Extensions.Configuration", "Microsoft.Extensions.DependencyInjection", "Microsoft.Extensions.Hosting", "Microsoft.Extensions.Logging",
    ];

    /// <summary>Nothing here is made to be derived from; a public class that is must say so by being abstract.</summary>
    [Fact]
    public void Every_class_is_sealed_static_or_abstract()
        => Convention.Holds(
            "Seal the class, or make it static or abstract.",
            Types.Where(type => type is { IsClass: true, IsSealed: false, IsAbstract: false }).Select(type => type.FullName));

    /// <summary>Such a word says nothing of the role. A framework interface that has it in its name prescribes it.</summary>
    [Fact]
    public void A_name_says_the_role()
        => Convention.Holds("Name the role instead.",
            from type in Types
            let word = Vague().Match(type.Name)
            let prescribed = type.GetInterfaces().Any(known => known.Assembly != type.Assembly && known.Name.Contains(word.Value, StringComparison.Ordinal))
            where word.Success && !prescribed
            select type.FullName);

    /// <summary>So that an app with a using of ours and the Web SDK's own does not meet an ambiguous name.</summary>
    [Fact]
    public void No_public_name_clashes_with_an_implicit_using()
    {
        var taken = FrameworkTypes().ToLookup(type => type.Name, type => type.Namespace, StringComparer.Ordinal);
        Assert.NotEmpty(taken["ISession"]);
        Convention.Holds("The name is taken by a namespace that the Web SDK imports by itself.",
            from type in Types
            where type.IsPublic
            from other in taken[type.Name]
            select $"{type.FullName}: also in {other}");
    }

    private static IEnumerable<(string Namespace, string Name)> FrameworkTypes()
    {
        var framework = Path.GetDirectoryName(typeof(object).Assembly.Location)!;
        var web = Path.GetDirectoryName(typeof(Microsoft.AspNetCore.Http.HttpContext).Assembly.Location)!;
        foreach (var path in Directory.EnumerateFiles(framework, "*.dll").Concat(Directory.EnumerateFiles(web, "*.dll")))
        {
            using var file = new PEReader(File.OpenRead(path));
            if (!file.HasMetadata)
            {
                continue;
            }

            var metadata = file.GetMetadataReader();
            foreach (var type in metadata.TypeDefinitions.Select(metadata.GetTypeDefinition))
            {
                var space = metadata.GetString(type.Namespace);
                if (type.Attributes.HasFlag(System.Reflection.TypeAttributes.Public) && ImplicitUsings.Contains(space, StringComparer.Ordinal))
                {
                    yield return (space, metadata.GetString(type.Name));
                }
            }
        }
    }

    private static bool IsWritten(Type type)
        => type.Namespace is { } space && !type.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false) && !type.Name.Contains('<', StringComparison.Ordinal)
            && type.DeclaringType?.Name.Contains('<', StringComparison.Ordinal) != true
            && !space.StartsWith("System", StringComparison.Ordinal) && !space.StartsWith("Microsoft.CodeAnalysis", StringComparison.Ordinal);

    [GeneratedRegex("(Helper|Util|Utility|Manager|Common|Base|Impl)(?=s?([A-Z]|$))", RegexOptions.ExplicitCapture)]
    private static partial Regex Vague();
}
