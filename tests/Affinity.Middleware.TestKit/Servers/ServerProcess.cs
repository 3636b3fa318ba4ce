using System.Diagnostics;

namespace Affinity.TestKit;

/// <summary>A real process that a test starts, breaks and ends. Disposing kills it with all its children and removes its directory.</summary>
/// <remarks>The process dies with the test run, however that ends (see the notes on <c>setpriv</c> in ProcessNursery).</remarks>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan DeathIsDueWithin = TimeSpan.FromSeconds(10);

    private readonly Process _process;
    private readonly TempDirectory? _temp;
    private readonly Task _pumps;

    private ServerProcess(Process process, TempDirectory? temp)
    {
        _process = process;
        _temp = temp;
        _pumps = Task.WhenAll(Output.PumpAsync(process.StandardOutput), Output.PumpAsync(process.StandardError));
    }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>What it has written so far.</summary>
    public ProcessOutput Output { get; } = new();

    /// <summary>Its standard input.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The exit code, 128 + n after signal n; <c>null</c> while it runs.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>Starts a process and waits until it is ready.</summary>
    /// <exception cref="InvalidOperationException">It ended before; the message holds what it wrote.</exception>
    /// <exception cref="TimeoutException">It was not ready in time; the message holds what it wrote.</exception>
    public static async Task<ServerProcess> StartAsync(ServerStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        var temp = start.WorkingDirectory is null ? new TempDirectory() : null;
        ServerProcess server;
        try
        {
            server = new ServerProcess(await ProcessNursery.StartAsync(Describe(start, start.WorkingDirectory ?? temp!.Path)), temp);
        }
        catch
        {
            temp?.Dispose();
            throw;
        }

        try
        {
            await server.WaitUntilReadyAsync(start);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>SIGKILL to this process alone. When the call returns, the process is gone and its ports are free.</summary>
    public void Kill() => End(entireProcessTree: false);

    /// <summary>SIGTERM: asks the process to end and does not wait for it.</summary>
    public void Terminate() => Send(Signals.Terminate);

    /// <summary>SIGSTOP: the process stops in its tracks; its connections stay and the kernel still takes new ones for it.</summary>
    public void Freeze() => Send(Signals.Stop);

    /// <summary>SIGCONT: ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Send(Signals.Continue);

    /// <summary>Waits for the end and answers the exit code.</summary>
    /// <exception cref="TimeoutException">It still runs after <paramref name="within"/> (30 s).</exception>
    public async Task<int> WaitForExitAsync(TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(30));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"The process did not end in time. The output:\n{Output}", exception);
        }

        await Task.WhenAny(_pumps, Task.Delay(TimeSpan.FromSeconds(1)));
        return _process.ExitCode;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        End(entireProcessTree: true);

        // A grandchild that got away may hold the pipes open for ever.
        await Task.WhenAny(_pumps, Task.Delay(TimeSpan.FromSeconds(1)));
        _process.Dispose();
        _temp?.Dispose();
    }

    private static ProcessStartInfo Describe(ServerStart start, string directory)
    {
        var info = new ProcessStartInfo(start.FileName, start.Arguments)
        {
            WorkingDirectory = directory,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in start.Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private async Task WaitUntilReadyAsync(ServerStart start)
    {
        var deadline = Deadline.In(start.ReadyWithin);
        while (!await start.Ready.AskAsync(this))
        {
            if (HasExited)
            {
                await WaitForExitAsync();
                throw new InvalidOperationException($"{start.FileName} ended with code {ExitCode} before it was ready ({start.Ready}). The output:\n{Output}");
            }

            if (deadline.HasPassed)
            {
                throw new TimeoutException($"{start.FileName} was not ready ({start.Ready}) within {start.ReadyWithin}. The output:\n{Output}");
            }

            await Task.Delay(20);
        }
    }

    private void Send(int signal)
    {
        // The id of a process that has ended may be somebody else's by now.
        if (HasExited)
        {
            throw new InvalidOperationException($"The process has ended with code {ExitCode}. The output:\n{Output}");
        }

        Signals.Send(_process.Id, signal);
    }

    private void End(bool entireProcessTree)
    {
        _process.Kill(entireProcessTree);
        if (!_process.WaitForExit(DeathIsDueWithin))
        {
            throw new TimeoutException($"Process {_process.Id} survived SIGKILL for {DeathIsDueWithin}.");
        }
    }
}
