namespace Affinity.TestKit;

/// <summary>
/// Which of the programs that tests drive are here. A missing one fails the test in CI (<c>CI=true</c>), with the cure; elsewhere
/// <see cref="ServerFactAttribute"/> and <see cref="ServerTheoryAttribute"/> skip the test and say why.
/// </summary>
public static class Requirements
{
    // Debian keeps servers in sbin, which is not on every user's PATH.
    private static readonly string[] ServerFolders = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

    // Debian keeps each version of PostgreSQL in a folder of its own, and only wrappers, or some of its programs, on the PATH: so that folder comes first.
    private const string PostgresVersions = "/usr/lib/postgresql";

    private static readonly (Needs Need, string Program, string Cure)[] Programs =
    [
        (Needs.Redis, "redis-server", "apt-get install redis-server"),
        (Needs.Garnet, "garnet-server", "dotnet tool restore, in the repository"),
        (Needs.Haproxy, "haproxy", "apt-get install haproxy"),
        (Needs.Nginx, "nginx", "apt-get install nginx"),
        (Needs.Caddy, "caddy", "apt-get install caddy"),
        (Needs.Chromium, "chromium", "apt-get install chromium"),
        (Needs.Apache, "apache2", "apt-get install apache2-bin"),
        (Needs.Varnish, "varnishd", "apt-get install varnish"),
        (Needs.Postgres, "initdb", "apt-get install postgresql"),
    ];

    /// <summary>Whether a missing program is a failure: the environment says <c>CI=true</c>.</summary>
    public static bool Strict => string.Equals(Environment.GetEnvironmentVariable("CI"), "true", StringComparison.OrdinalIgnoreCase);

    /// <summary>The path of one program.</summary>
    /// <exception cref="InvalidOperationException">It is missing; the message names it and the cure.</exception>
    public static string PathOf(Needs need) => Locate(need) ?? throw new InvalidOperationException(Describe(need));

    /// <summary>Why a test with these needs must be skipped here; <c>null</c> when it is to be run.</summary>
    public static string? SkipReason(Needs needs) => SkipReason(needs, Strict, Locate);

    internal static string? SkipReason(Needs needs, bool strict, Func<Needs, string?> locate)
    {
        var missing = Programs.Where(program => needs.HasFlag(program.Need) && locate(program.Need) is null).ToArray();
        return strict || missing.Length == 0 ? null : string.Join(" ", missing.Select(program => Describe(program.Need)));
    }

    /// <summary>Looks for a program on the PATH and in the folders of system servers.</summary>
    internal static string? Find(string program)
        => PostgresFolders()
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            .Concat(ServerFolders)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);

    /// <summary>The newest version first.</summary>
    private static IEnumerable<string> PostgresFolders() => !Directory.Exists(PostgresVersions) ? []
        : Directory.GetDirectories(PostgresVersions).OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0).Select(folder => Path.Combine(folder, "bin"));

    private static string? Locate(Needs need) => need == Needs.Garnet ? GarnetTool.Locate() : Find(Entry(need).Program);

    private static string Describe(Needs need)
    {
        var (_, program, cure) = Entry(need);
        return $"{program} is not installed. Cure: {cure}.";
    }

    private static (Needs Need, string Program, string Cure) Entry(Needs need) => Programs.Single(program => program.Need == need);
}
