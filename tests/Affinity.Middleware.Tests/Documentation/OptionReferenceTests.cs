using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Affinity.Backends.Postgres;
using Xunit;

namespace Affinity.Tests.Documentation;

/// <summary>docs/options.md and the options classes tell the same: every option, its type and its default, and none that does not exist.</summary>
public sealed partial class OptionReferenceTests
{
    private static readonly List<(string Path, string Type, string Default)> Real = [.. Walk("Affinity", new AffinityOptions()), .. Walk("Affinity:Postgres", new PostgresOptions())];

    [Fact]
    public void Every_option_stands_in_the_reference_with_its_type_and_default_and_no_other_does()
    {
        var told = Document.Of("docs/options.md").Rows()
            .Where(cells => Document.Code(cells[0])?.StartsWith("Affinity:", StringComparison.Ordinal) == true)
            .Select(cells => (Document.Code(cells[0])!, cells[1], Document.Code(cells[2]) ?? cells[2]));

        Assert.Equal(Real.Order(), told.Order());
    }

    [Fact]
    public void No_document_names_an_option_that_does_not_exist()
    {
        var paths = Real.Select(option => option.Path).ToArray();
        var sections = paths.Select(path => path[..path.LastIndexOf(':')]).Distinct(StringComparer.Ordinal);
        HashSet<string> known = new([.. paths, .. sections], StringComparer.Ordinal);

        var strange = Document.All
            .SelectMany(document => Path().Matches(document.Text).Select(match => $"{document.Name}: {match.Value.Replace("__", ":", StringComparison.Ordinal)}"))
            .Where(mention => !known.Contains(mention.Split(": ")[1]));

        Assert.Empty(strange);
    }

    private static IEnumerable<(string Path, string Type, string Default)> Walk(string path, object options)
    {
        foreach (var property in options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            var (name, value) = ($"{path}:{property.Name}", property.GetValue(options));
            if (property.PropertyType is { IsClass: true } type && type != typeof(string))
            {
                foreach (var option in Walk(name, value!))
                {
                    yield return option;
                }
            }
            else
            {
                yield return (name, TypeOf(Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType), DefaultOf(value));
            }
        }
    }

    private static string TypeOf(Type type) =>
        type == typeof(string) ? "string"
        : type == typeof(IList<string>) ? "list of strings"
        : type == typeof(TimeSpan) ? "time span"
        : type == typeof(bool) ? "true or false"
        : type == typeof(int) || type == typeof(long) ? "integer"
        : type == typeof(double) ? "number"
        : string.Join(", ", NamesOf(type).Select(name => $"`{name}`"));

    // SameSiteMode has one value that is refused; the framework's own order of the others starts with None.
    private static string[] NamesOf(Type type) => type == typeof(Microsoft.AspNetCore.Http.SameSiteMode)
        ? ["Lax", "Strict", "None"]
        : Enum.GetNames(type);

    private static string DefaultOf(object? value) => value switch
    {
        null => "not set",
        IList<string> { Count: 0 } => "empty",
        bool flag => flag ? "true" : "false",
        _ => string.Create(CultureInfo.InvariantCulture, $"{value}"),
    };

    [GeneratedRegex(@"\bAffinity(:[A-Z]\w*)+|\bAffinity(__[A-Z][A-Za-z]*)+", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 5000)]
    private static partial Regex Path();
}
