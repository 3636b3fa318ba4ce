using System.Collections;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Options;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>Whoever reads a fault must know which setting to change, and no setting may go unchecked.</summary>
public sealed partial class OptionsTests
{
    private static readonly Type[] Types = typeof(AffinityOptions).Assembly.GetTypes();

    /// <summary>Every setting below the section Affinity by its path, except switches, of which both values are right.</summary>
    public static TheoryData<string> Settings => [.. Paths(typeof(AffinityOptions), "Affinity").Order(StringComparer.Ordinal)];

    [Fact]
    public void Every_options_class_has_a_validator()
    {
        var options = Types.Where(type => type.IsPublic && type.Name.EndsWith("Options", StringComparison.Ordinal)).Select(type => type.FullName + "Validator");
        Convention.Holds("An options class needs a validator.", options.Except(Types.Select(type => type.FullName), StringComparer.Ordinal));
    }

    [Fact]
    public void The_defaults_are_valid() => Convention.Holds("The defaults must be valid.", Faults(Defaults()));

    [Theory]
    [MemberData(nameof(Settings))]
    public void A_wrong_setting_is_a_fault_that_names_it(string path)
    {
        var faults = new List<string>();
        foreach (var wrong in WrongValues(Locate(Defaults(), path).Property.PropertyType))
        {
            var options = Defaults();
            var (owner, property) = Locate(options, path);
            if (property.CanWrite)
            {
                property.SetValue(owner, wrong);
            }
            else
            {
                ((IList)property.GetValue(owner)!).Add(wrong);
            }

            faults.AddRange(Faults(options));
        }

        Assert.Contains(faults, fault => fault.Contains(path, StringComparison.Ordinal));
        Assert.All(faults, fault => Assert.Matches(Path(), fault));
    }

    private static AffinityOptions Defaults() => new() { Application = "shop" };

    private static IEnumerable<string> Faults(AffinityOptions options)
        => new AffinityOptionsValidator(Options.Create(new HostOptions()), new HostingEnvironment { EnvironmentName = Environments.Production }).Validate(null, options).Failures ?? [];

    private static IEnumerable<string> Paths(Type options, string section)
        => options.GetProperties().SelectMany(property => property.PropertyType switch
        {
            var type when type == typeof(bool) => [],
            { Assembly: var assembly, IsClass: true } type when assembly == options.Assembly => Paths(type, $"{section}:{property.Name}"),
            _ => new[] { $"{section}:{property.Name}" },
        });

    private static (object Owner, PropertyInfo Property) Locate(object options, string path)
    {
        var names = path.Split(':')[1..];
        foreach (var name in names[..^1])
        {
            options = options.GetType().GetProperty(name)!.GetValue(options)!;
        }

        return (options, options.GetType().GetProperty(names[^1])!);
    }

    private static object[] WrongValues(Type type)
        => Nullable.GetUnderlyingType(type) is { } value ? WrongValues(value)
            : type == typeof(TimeSpan) ? [TimeSpan.FromDays(-1), TimeSpan.MaxValue]
            : type == typeof(int) ? [int.MinValue, int.MaxValue]
            : type == typeof(long) ? [long.MinValue, long.MaxValue]
            : type == typeof(double) ? [double.NaN, double.MinValue, double.MaxValue]
            : type == typeof(string) || typeof(IList).IsAssignableFrom(type) || type == typeof(IList<string>) ? ["", "\n", new string('x', 1000)]
            : type.IsEnum ? [Enum.ToObject(type, 99)]
            : throw new NotSupportedException($"Name wrong values of a {type}.");

    [GeneratedRegex(@"\bAffinity(:[A-Z]\w+)+")]
    private static partial Regex Path();
}
