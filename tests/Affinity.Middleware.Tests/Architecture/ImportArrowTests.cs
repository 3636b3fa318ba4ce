using System.Text.RegularExpressions;
using Affinity.Backends.Postgres;
using Xunit;

namespace Affinity.Tests.Architecture;

/// <summary>A folder is a stage, and which stage may know which is a table. What a visitor has must not depend on which node holds them.</summary>
public sealed partial class ImportArrowTests
{
    private static readonly Dictionary<string, string[]> MayImport = new(StringComparer.Ordinal)
    {
        ["Diagnostics"] = [],
        ["Nodes"] = ["Diagnostics"],
        ["Tickets"] = ["Nodes", "Diagnostics"],
        ["Stickiness"] = ["Nodes", "Tickets", "Diagnostics"],
        ["Sessions"] = ["Tickets", "Diagnostics"],
        ["Inspection"] = ["Nodes", "Tickets", "Stickiness", "Sessions", "Diagnostics"],
        ["Backends"] = ["Nodes", "Tickets", "Sessions", "Diagnostics"],
    };

    // By simple name, as a parent namespace and the framework's namespaces need no using. Nested types cannot be named without the outer one.
    private static readonly ILookup<string, Type> TypesByName = typeof(AffinityOptions).Assembly.GetTypes().Concat(typeof(PostgresOptions).Assembly.GetTypes())
        .Where(type => !type.IsNested && type.Namespace?.StartsWith("Affinity", StringComparison.Ordinal) == true)
        .ToLookup(type => type.Name.Split('`')[0], StringComparer.Ordinal);

    [Fact]
    public void Every_folder_has_its_line_in_the_table()
        => Convention.Holds(
            "Give the folder a line in the table of this test.",
            SourceTree.Files.Select(file => Stage(file.Folder)).Where(stage => stage.Length > 0 && !MayImport.ContainsKey(stage)).Distinct());

    [Fact]
    public void A_folder_imports_what_the_table_says()
        => Convention.Holds("A folder may import only what the table of this test says.",
            from file in SourceTree.Files
            where file.Folder.Length > 0
            from Match import in AffinityNamespace().Matches(file.Names)
            let folder = import.Groups["folder"].Value.Replace('.', '/')
            where !import.Value.StartsWith("namespace", StringComparison.Ordinal) && !IsAllowed(file.Folder, folder)
            select file.At(import, file.Names));

    [Fact]
    public void A_folder_names_only_types_that_the_table_says()
        => Convention.Holds("A folder may name only types of folders that the table of this test says.",
            from file in SourceTree.Files
            where file.Folder.Length > 0 && !IsRootOfAPackage(file)
            from Match word in Word().Matches(file.Names)
            let types = TypesByName[word.Value]
            where types.Any() && !types.Any(type => IsAllowed(file.Folder, FolderOf(type)))
            select $"{file.At(word, file.Names)} of the folder '{FolderOf(types.First())}'");

    /// <summary>So that a backend in a package of its own can do what these do.</summary>
    [Fact]
    public void A_backend_names_only_the_public_contracts_of_the_stages()
        => Convention.Holds("A backend may name only public types of the stages.",
            from file in SourceTree.Files
            where Stage(file.Folder) == "Backends" && !IsRootOfAPackage(file)
            from Match word in Word().Matches(file.Names)
            let types = TypesByName[word.Value]
            where types.Any() && types.All(type => !type.IsPublic && Stage(FolderOf(type)) is "Nodes" or "Tickets" or "Sessions")
            select file.At(word, file.Names));

    /// <summary>A cache evicts, and lists nothing: neither keys nor nodes lie in it.</summary>
    [Fact]
    public void The_backend_over_a_cache_knows_sessions_only()
        => Convention.Holds(
            "Backends/Distributed may name neither nodes nor keys.",
            from file in SourceTree.Files
            where file.Folder == "Backends/Distributed"
            from Match word in Word().Matches(file.Names)
            where TypesByName[word.Value].Any(type => FolderOf(type) == "Nodes") || word.Value is "IKeyVault" or "SessionId"
            select file.At(word, file.Names));

    [Fact]
    public void Only_the_Redis_backend_knows_its_client()
        => Convention.Holds(
            "Only Backends/Redis may use StackExchange.Redis.",
            SourceTree.Files.Where(file => file.Folder != "Backends/Redis").SelectMany(file => file.Find(RedisClient(), file.Names)));

    [Fact]
    public void Only_the_PostgreSQL_backend_knows_its_client()
        => Convention.Holds(
            "Only src/Affinity.Postgres may use Npgsql.",
            SourceTree.Files.Where(file => file.Folder != "Backends/Postgres").SelectMany(file => file.Find(PostgresClient(), file.Names)));

    private static bool IsAllowed(string from, string to)
        => Stage(from) == "Backends" && Stage(to) == "Backends"
            ? to == from || to == "Backends" // one backend never knows another
            : Stage(to) == Stage(from) || MayImport.GetValueOrDefault(Stage(from), []).Contains(Stage(to), StringComparer.Ordinal);

    /// <summary>What registers a package's services sees everything, as the root does.</summary>
    private static bool IsRootOfAPackage(SourceFile file) => file.Path is "Backends/Postgres/AffinityPostgresExtensions.cs" or "Backends/Postgres/PostgresBackend.cs";

    private static string Stage(string folder) => folder.Split('/')[0];

    private static string FolderOf(Type type) => type.Namespace == "Affinity" ? "" : type.Namespace!["Affinity.".Length..].Replace('.', '/');

    [GeneratedRegex(@"(namespace\s+)?\bAffinity\.(?<folder>(Backends\.)?[A-Z]\w*)", RegexOptions.ExplicitCapture)]
    private static partial Regex AffinityNamespace();

    [GeneratedRegex(@"\b[A-Z]\w*")]
    private static partial Regex Word();

    [GeneratedRegex(@"\bStackExchange\b.*")]
    private static partial Regex RedisClient();

    [GeneratedRegex(@"\bNpgsql\w*")]
    private static partial Regex PostgresClient();
}
