using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Affinity.TestKit;

/// <summary>POSIX signals with their Linux numbers.</summary>
internal static partial class Signals
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int processId, int signal)
    {
        // 0 and below address process groups, 1 is init: never meant here.
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(processId, 1);
        if (SysKill(processId, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SysKill(int processId, int signal);
}
