using System.Diagnostics;

namespace ShopFarm;

/// <summary>
/// The farm's temporary folder. A small process removes it when the farm ends, however it ends: its standard input closes then.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private readonly Process? _sweeper;

    public RunFolder()
    {
        Path = Directory.CreateTempSubdirectory("shopfarm-").FullName;
        if (Tools.OnPath("sh") is { } shell)
        {
            // Ctrl-C reaches every process of the terminal: the sweeper must outlive it.
            _sweeper = Process.Start(new ProcessStartInfo(shell, ["-c", "trap '' INT TERM HUP; cat >/dev/null; rm -rf -- \"$1\"", "sh", Path])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            });
        }
    }

    public string Path { get; }

    public void Dispose()
    {
        Directory.Delete(Path, recursive: true);
        _sweeper?.StandardInput.Close();
        _sweeper?.WaitForExit(TimeSpan.FromSeconds(5));
        _sweeper?.Dispose();
    }
}
