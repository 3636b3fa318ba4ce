using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShopFarm;

/// <summary>One process of the farm, its output in a log file.</summary>
internal sealed partial class ChildProcess : IAsyncDisposable
{
    private const int SigTerm = 15;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly StreamWriter _log;
    private readonly string _name;

    private ChildProcess(string name, Process process, StreamWriter log)
    {
        (_name, _process, _log) = (name, process, log);
        process.OutputDataReceived += (_, line) => Write(line.Data);
        process.ErrorDataReceived += (_, line) => Write(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Once it has.</summary>
    public int ExitCode => _process.ExitCode;

    public static async Task<ChildProcess> StartAsync(
        string name, string logFolder, string workingFolder, IEnumerable<string> command, IReadOnlyDictionary<string, string>? environment = null)
    {
        var words = command.ToArray();
        var info = new ProcessStartInfo(words[0], words[1..])
        {
            WorkingDirectory = workingFolder,
            UseShellExecute = false,

            // All three, else .NET takes the terminal's settings for the child's and keys are no longer read one by one.
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            info.Environment[key] = value;
        }

        var process = await Spawner.StartAsync(info);
        return new(name, process, new StreamWriter(Path.Combine(logFolder, name + ".log"), append: true) { AutoFlush = true });
    }

    /// <summary>SIGKILL: the process learns nothing of it. Returns when it is gone.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM: asks it to stop.</summary>
    public void Terminate()
    {
        if (_process.HasExited)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            _process.Kill();
        }
        else
        {
            _ = Signal(_process.Id, SigTerm);
        }
    }

    /// <summary>Waits until <paramref name="ready"/> says yes.</summary>
    /// <exception cref="FarmException">The process ended, or it took longer than 40 s; the message has the end of its log.</exception>
    public async Task WaitUntilAsync(Func<Task<bool>> ready, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await ready())
        {
            if (HasExited || Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(40))
            {
                throw new FarmException($"{_name} {(HasExited ? "ended" : "did not become ready")}. The end of its log:{Environment.NewLine}{LogEnd()}");
            }

            await Task.Delay(100, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Terminate();
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            await KillAsync();
        }

        _process.Dispose();
        lock (_log)
        {
            _log.Dispose();
        }
    }

    private void Write(string? line)
    {
        lock (_log)
        {
            if (line is not null && _log.BaseStream is not null)
            {
                _log.WriteLine(line);
            }
        }
    }

    private string LogEnd()
    {
        using var file = new FileStream(((FileStream)_log.BaseStream).Name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return string.Join(Environment.NewLine, reader.ReadToEnd().Split('\n').TakeLast(15));
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int Signal(int process, int signal);
}
