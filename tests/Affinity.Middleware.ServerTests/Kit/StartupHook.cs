using Affinity.TestKit;

// The runtime's rules for DOTNET_STARTUP_HOOKS: this name, no namespace.
#pragma warning disable CA1050, MA0047
/// <summary>Turns any .NET process into a test run that has started a server.</summary>
internal static class StartupHook
{
    public const string Announcement = "started server ";

    public static void Initialize()
    {
        Environment.SetEnvironmentVariable("DOTNET_STARTUP_HOOKS", null);
        // In a directory that stays: this process is killed before it could remove one of its own.
        var start = new ServerStart { FileName = "sleep", Arguments = ["600"], WorkingDirectory = AppContext.BaseDirectory };
        var server = ServerProcess.StartAsync(start).GetAwaiter().GetResult();
        Console.WriteLine($"{Announcement}{server.Id}");
    }
}
