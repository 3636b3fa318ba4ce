using Xunit;
using Xunit.Abstractions;

namespace Affinity.TestKit;

/// <summary>Starts the classes of <see cref="LongestAttribute"/> first and the others by name, so that at the end of a suite not one long class runs while all processors but one have nothing to do.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    /// <summary>The name by which an assembly asks for it.</summary>
    public const string Type = "Affinity.TestKit.LongestFirst";

    /// <summary>Where it is.</summary>
    public const string Assembly = "Affinity.Middleware.TestKit";

    /// <inheritdoc/>
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections)
    {
        ArgumentNullException.ThrowIfNull(testCollections);
        var collections = testCollections.ToList();
        var longest = collections.Take(1)
            .SelectMany(collection => collection.TestAssembly.Assembly.GetCustomAttributes(typeof(LongestAttribute).AssemblyQualifiedName))
            .SelectMany(attribute => attribute.GetNamedArgument<Type[]>(nameof(LongestAttribute.Classes)))
            .Select((type, i) => (Name: NameOf(type), Place: i))
            .ToDictionary(item => item.Name, item => item.Place, StringComparer.Ordinal);
        return collections
            .OrderBy(collection => longest.GetValueOrDefault(collection.DisplayName, int.MaxValue))
            .ThenBy(collection => collection.DisplayName, StringComparer.Ordinal);
    }

    /// <summary>A class that names no collection is one by itself.</summary>
    private static string NameOf(Type type) =>
        type.CustomAttributes.FirstOrDefault(attribute => attribute.AttributeType == typeof(CollectionAttribute))?.ConstructorArguments[0].Value as string ?? "Test collection for " + type.FullName;
}

/// <summary>The classes of a suite that take longest, the longest first.</summary>
/// <param name="classes">Measured in a whole run.</param>
[AttributeUsage(AttributeTargets.Assembly)]
public sealed class LongestAttribute(params Type[] classes) : Attribute
{
    /// <summary>Measured in a whole run.</summary>
    public Type[] Classes { get; } = classes;
}
