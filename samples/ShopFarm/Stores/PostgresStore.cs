using System.Globalization;
using System.Text.RegularExpressions;

namespace ShopFarm.Stores;

/// <summary>The given PostgreSQL, else one of the farm's own in its temporary folder, from the programs that are installed.</summary>
internal static partial class PostgresStore
{
    private const string Setting = "ConnectionStrings__affinity-db";

    // The server refuses to run as root; Debian's package makes this user. A change of user forgets who is to be told of the farm's death, so that is said again.
    private const string Unprivileged = "postgres";

    public static async Task<Store> StartAsync(FarmOptions options, string folder, string logs, CancellationToken cancellationToken)
    {
        if (options.Postgres is { Length: > 0 } given)
        {
            return new Store("PostgreSQL as given", new Dictionary<string, string>(StringComparer.Ordinal) { [Setting] = given });
        }

        var data = Path.Combine(folder, "postgres");
        Directory.CreateDirectory(data);
        if (!OperatingSystem.IsWindows() && IsRoot)
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
            await RunAsync(["chown", Unprivileged, data]);
        }

        await RunAsync([.. AsUser, Program("initdb"), "-D", data, "-U", "shop", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"]);
        var port = Tools.FreePort().ToString(CultureInfo.InvariantCulture);
        var process = await ChildProcess.StartAsync("postgres", logs, data, [.. AsUser, Program("postgres"), "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        try
        {
            await process.WaitUntilAsync(() => SucceedsAsync([Program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", port]), cancellationToken);
            return new Store("PostgreSQL", new Dictionary<string, string>(StringComparer.Ordinal) { [Setting] = $"Host=127.0.0.1;Port={port};Username=shop;Database=postgres" }, process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }

        async Task RunAsync(string[] command)
        {
            if (!await SucceedsAsync(command))
            {
                throw new FarmException($"{Path.GetFileName(command[0])} failed; see postgres-setup.log, which --logs keeps.");
            }
        }

        async Task<bool> SucceedsAsync(string[] command)
        {
            await using var step = await ChildProcess.StartAsync("postgres-setup", logs, folder, command);
            await step.WaitUntilAsync(() => Task.FromResult(step.HasExited), cancellationToken);
            return step.ExitCode == 0;
        }
    }

    private static bool IsRoot => string.Equals(Environment.UserName, "root", StringComparison.Ordinal);

    private static string[] AsUser => IsRoot ? ["setpriv", "--reuid", Unprivileged, "--regid", Unprivileged, "--clear-groups", "--pdeathsig", "KILL"] : [];

    /// <summary>Debian keeps these out of the PATH, in a folder per version: the newest.</summary>
    private static string Program(string name) =>
        Tools.OnPath(name)
        ?? (Directory.Exists("/usr/lib/postgresql") ? Directory.GetDirectories("/usr/lib/postgresql") : [])
            .Where(folder => Version().IsMatch(Path.GetFileName(folder)))
            .OrderByDescending(folder => int.Parse(Path.GetFileName(folder), CultureInfo.InvariantCulture))
            .Select(folder => Path.Combine(folder, "bin", name))
            .FirstOrDefault(File.Exists)
        ?? throw new FarmException($"{name} is not there. Install PostgreSQL (Debian: apt-get install postgresql), or name one that runs with --postgres \"Host=…;Username=…;Password=…;Database=…\".");

    [GeneratedRegex("^[0-9]{1,4}$")]
    private static partial Regex Version();
}
