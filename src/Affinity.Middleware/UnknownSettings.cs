using System.Collections;
using System.Reflection;
using Microsoft.Extensions.Configuration;

namespace Affinity;

/// <summary>Finds settings that nothing reads: a misspelt name would otherwise leave the default in force without a word.</summary>
internal static class UnknownSettings
{
    /// <summary>The paths under <paramref name="section"/> for which <paramref name="options"/> has no property, never their values.</summary>
    /// <param name="section">What is configured.</param>
    /// <param name="options">What is read of it.</param>
    /// <param name="more">Options classes of packages, whose sections lie beside those of <paramref name="options"/>.</param>
    public static IEnumerable<string> In(IConfigurationSection section, Type options, params Type[] more)
    {
        foreach (var child in section.GetChildren())
        {
            if (Array.Find(more, type => string.Equals(type.Name, child.Key + "Options", StringComparison.OrdinalIgnoreCase)) is { } package)
            {
                foreach (var path in In(child, package))
                {
                    yield return path;
                }

                continue;
            }

            var property = options.GetProperty(child.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            if (property is null || (IsList(property.PropertyType) && child.Value is not null))
            {
                // A list that is written like a single value is not bound either.
                yield return child.Path;
            }
            else if (IsSection(property.PropertyType))
            {
                foreach (var path in In(child, property.PropertyType))
                {
                    yield return path;
                }
            }
        }
    }

    private static bool IsList(Type type) => type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type);

    private static bool IsSection(Type type) => type.IsClass && !IsList(type) && type != typeof(string);
}
