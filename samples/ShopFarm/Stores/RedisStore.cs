using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace ShopFarm.Stores;

/// <summary>The given Redis, else a Garnet of the farm's own.</summary>
internal static class RedisStore
{
    public static async Task<Store> StartAsync(FarmOptions options, string logs, CancellationToken cancellationToken)
    {
        if (options.Redis is { Length: > 0 } given)
        {
            return Named("Redis as given", given);
        }

        var server = await RestoreGarnetAsync(logs, cancellationToken);
        var port = Tools.FreePort();
        var address = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        var process = await ChildProcess.StartAsync("garnet", logs, logs, ["dotnet", server, "--port", Text(port), "--bind", "127.0.0.1", "--lua", "--lua-transaction-mode", "--memory", "256m", "--index", "32m"]);
        try
        {
            await process.WaitUntilAsync(async () => await AskAsync(address, "PING") is not null, cancellationToken);
            return Named("Garnet", address, process);
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    private static Store Named(string name, string address, params ChildProcess[] processes) =>
        new(name, new Dictionary<string, string>(StringComparer.Ordinal) { ["ConnectionStrings__redis"] = address }, processes) { CountSessionsAsync = () => CountSessionsAsync(address) };

    /// <summary>Null when it can't be asked in this simple way (a password, TLS, several addresses).</summary>
    private static async Task<int?> CountSessionsAsync(string address) =>
        await AskAsync(address, "KEYS affinity:ShopSample:s:*") is ['*', .. var count] && int.TryParse(count, CultureInfo.InvariantCulture, out var n) ? n : null;

    // The tool's own program and not `dotnet garnet-server`, which is a parent that can be killed without its child.
    private static async Task<string> RestoreGarnetAsync(string logs, CancellationToken cancellationToken)
    {
        Console.WriteLine("restoring Garnet (a Redis-protocol server, see .config/dotnet-tools.json) …");
        await using var restore = await ChildProcess.StartAsync("tool-restore", logs, Tools.Repository, ["dotnet", "tool", "restore"]);
        await restore.WaitUntilAsync(() => Task.FromResult(restore.HasExited), cancellationToken);
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var tool = Path.Combine(packages, "garnet-server");
        return (Directory.Exists(tool) ? Directory.EnumerateFiles(tool, "GarnetServer.dll", SearchOption.AllDirectories) : [])
            .Where(f => string.Equals(Path.GetFileName(Path.GetDirectoryName(f)), "any", StringComparison.Ordinal))
            .Max(StringComparer.Ordinal)
            ?? throw new FarmException("Garnet could not be restored. Start a Redis yourself and name it with --redis host:port.");
    }

    // The first line of the answer is all that is needed, so no client is.
    private static async Task<string?> AskAsync(string address, string command)
    {
        try
        {
            var at = address.LastIndexOf(':');
            using var client = new TcpClient();
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await client.ConnectAsync(address[..at], int.Parse(address[(at + 1)..], CultureInfo.InvariantCulture), limit.Token);
            var words = command.Split(' ');
            var request = $"*{words.Length}\r\n{string.Concat(words.Select(w => $"${w.Length}\r\n{w}\r\n"))}";
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request), limit.Token);
            using var reader = new StreamReader(client.GetStream());
            return await reader.ReadLineAsync(limit.Token);
        }
        catch (Exception fault) when (fault is SocketException or IOException or OperationCanceledException or FormatException or ArgumentOutOfRangeException)
        {
            return null;
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
