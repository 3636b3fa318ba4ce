using System.Collections;
using System.Globalization;

namespace Affinity.TestKit;

/// <summary>An ASP.NET Core app in a process of its own, on a loopback port of its own: one node of a farm.</summary>
public sealed class AppProcess : IAsyncDisposable
{
    private readonly AppStart _start;

    private AppProcess(AppStart start, ServerProcess process)
    {
        _start = start;
        Process = process;
        BaseAddress = AddressOf(start);
    }

    /// <summary>Where it listens: <c>http://127.0.0.1:port/</c>.</summary>
    public Uri BaseAddress { get; }

    /// <summary>The process that runs now or ran last.</summary>
    public ServerProcess Process { get; private set; }

    /// <summary>What it has written: its log.</summary>
    public ProcessOutput Output => Process.Output;

    /// <summary>The exit code, 128 + n after signal n; <c>null</c> while it runs.</summary>
    public int? ExitCode => Process.ExitCode;

    /// <summary>Starts the app and waits until it is ready.</summary>
    public static async Task<AppProcess> StartAsync(AppStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        start = start.Port == 0 ? start with { Port = LoopbackPort.Next() } : start;
        return new AppProcess(start, await ServerProcess.StartAsync(Describe(start)));
    }

    /// <summary>SIGKILL; when the call returns, the port is free.</summary>
    public void Kill() => Process.Kill();

    /// <summary>SIGTERM: the app begins to shut down.</summary>
    public void Terminate() => Process.Terminate();

    /// <summary>SIGSTOP: connections stay, nothing is answered.</summary>
    public void Freeze() => Process.Freeze();

    /// <summary>SIGCONT: ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Process.Thaw();

    /// <summary>Waits for the end and answers the exit code.</summary>
    public Task<int> WaitForExitAsync(TimeSpan? within = null) => Process.WaitForExitAsync(within);

    /// <summary>Starts the app again as before, after a SIGKILL if it still runs.</summary>
    public async Task RestartAsync()
    {
        await Process.DisposeAsync();
        Process = await ServerProcess.StartAsync(Describe(_start));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    private static Uri AddressOf(AppStart start) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{start.Port}/"));

    private static ServerStart Describe(AppStart start) => new()
    {
        FileName = "dotnet",
        Arguments = [Path.GetFullPath(start.Dll)],
        // The app's own folder, as a deployed app has it: its appsettings.json and wwwroot lie there.
        WorkingDirectory = Path.GetDirectoryName(Path.GetFullPath(start.Dll)),
        Environment = EnvironmentOf(start),
        Ready = start.ReadyPath is null ? Readiness.Tcp(start.Port) : Readiness.Http(new Uri(AddressOf(start), start.ReadyPath), start.ReadyStatus),
        ReadyWithin = start.ReadyWithin,
    };

    private static Dictionary<string, string?> EnvironmentOf(AppStart start)
    {
        var environment = new Dictionary<string, string?>(QuietRuntime.Environment, StringComparer.Ordinal);

        // What configures the test run must not configure the app.
        foreach (var name in Environment.GetEnvironmentVariables().Keys.Cast<string>().Where(ConfiguresApps))
        {
            environment[name] = null;
        }

        environment["ASPNETCORE_URLS"] = AddressOf(start).GetLeftPart(UriPartial.Authority);
        environment["DOTNET_ENVIRONMENT"] = "Production";
        foreach (var (key, value) in start.Configuration)
        {
            environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        foreach (var (name, value) in start.Environment)
        {
            environment[name] = value;
        }

        return environment;
    }

    private static bool ConfiguresApps(string name)
        => name.StartsWith("ASPNETCORE_", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("Affinity__", StringComparison.OrdinalIgnoreCase)
            || name.StartsWith("ConnectionStrings__", StringComparison.OrdinalIgnoreCase)
            || string.Equals(name, "DOTNET_ENVIRONMENT", StringComparison.OrdinalIgnoreCase);
}
