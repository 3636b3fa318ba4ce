using System.Diagnostics;
using System.Text.Json;

namespace Affinity.TestKit;

/// <summary>
/// Finds the Garnet of the repository's tool manifest. Its dll is started directly: <c>dotnet garnet-server</c> puts a process in
/// between, and a kill would hit that one instead of Garnet.
/// </summary>
internal static class GarnetTool
{
    private static readonly Lazy<string?> Dll = new(LocateOrRestore);

    public static string? Locate() => Dll.Value;

    private static string? LocateOrRestore()
    {
        if (Repository.Root is not { } root)
        {
            return null;
        }

        var version = ManifestVersion(root);
        return FindDll(GuessedPackages(), version)
            ?? (Dotnet(root, "tool", "restore") is null ? null : FindDll(GuessedPackages(), version) ?? FindDll(AskedPackages(root), version));
    }

    private static string ManifestVersion(string root)
    {
        using var manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(root, ".config", "dotnet-tools.json")));
        return manifest.RootElement.GetProperty("tools").GetProperty("garnet-server").GetProperty("version").GetString()!;
    }

    private static string GuessedPackages()
        => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
            ? folder
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");

    // A NuGet.config can move the folder; the answer is "global-packages: /the/folder/".
    private static string AskedPackages(string root)
        => Dotnet(root, "nuget", "locals", "global-packages", "--list")?.Split(':', 2) is [_, var folder] ? folder.Trim() : GuessedPackages();

    private static string? FindDll(string packages, string version)
    {
        var tools = Path.Combine(packages, "garnet-server", version, "tools");
        return !Directory.Exists(tools)
            ? null
            : Directory.EnumerateDirectories(tools, "net*.0")
                .OrderByDescending(folder => Version.TryParse(Path.GetFileName(folder)["net".Length..], out var framework) && framework.Major <= Environment.Version.Major ? framework : new Version())
                .Select(folder => Path.Combine(folder, "any", "GarnetServer.dll"))
                .FirstOrDefault(File.Exists);
    }

    private static string? Dotnet(string directory, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", arguments) { WorkingDirectory = directory, UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : null;
    }
}
