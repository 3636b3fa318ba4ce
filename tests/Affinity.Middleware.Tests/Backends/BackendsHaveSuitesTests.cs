using System.Text.RegularExpressions;
using Affinity.Backends.Postgres;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Backends;

/// <summary>
/// A backend without its conformance suite does not get in: a class <c>XThing</c> needs an <c>XThingConformanceTests</c> on the contract's suite, in either test project. One that keeps two contracts
/// needs one for each, the second with a word of its own: <c>XThingAnnouncementsConformanceTests</c>.
/// </summary>
public sealed partial class BackendsHaveSuitesTests
{
    private static readonly (Type Contract, string Suite)[] Contracts =
    [
        (typeof(ISessionStore), "SessionStoreConformance"),
        (typeof(ISessionAnnouncements), "SessionAnnouncementsConformance"),
        (typeof(INodeDirectory), "NodeDirectoryConformance"),
        (typeof(IKeyVault), "KeyVaultConformance"),
    ];

    [Fact]
    public void Every_implementation_of_a_contract_has_a_conformance_suite()
    {
        var suites = Directory.EnumerateFiles(Path.Combine(Repository.Root!, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => SuiteClass.Matches(File.ReadAllText(file)))
            .Select(match => (Subject: match.Groups["subject"].Value, Suite: match.Groups["suite"].Value))
            .ToArray();

        var naked =
            from pair in Contracts
            from type in Implementations(pair.Contract)
            where !suites.Any(one => one.Subject.StartsWith(type.Name, StringComparison.Ordinal) && one.Suite.EndsWith(pair.Suite, StringComparison.Ordinal))
            select type.FullName;

        Assert.Empty(naked);
    }

    [Fact]
    public void The_search_for_implementations_finds_the_known_ones() =>
        Assert.All(Contracts, pair => Assert.True(Implementations(pair.Contract).Count() >= 3));

    // A decorator (a guard, a cache) takes the contract that it implements and keeps nothing itself; it is tested with its stage.
    private static IEnumerable<Type> Implementations(Type contract) => new[] { contract.Assembly, typeof(PostgresOptions).Assembly }.SelectMany(assembly => assembly.GetTypes()).Where(type =>
        type is { IsClass: true, IsAbstract: false } && contract.IsAssignableFrom(type)
        && !type.GetConstructors().Any(constructor => constructor.GetParameters().Any(parameter => parameter.ParameterType == contract)));

    [GeneratedRegex(@"\bclass (?<subject>\w+)ConformanceTests(\([^)]*\))? : (?<suite>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 10_000)]
    private static partial Regex SuiteClass { get; }
}
