using System.Runtime.InteropServices;

namespace Affinity.Backends.Directory;

/// <summary>
/// Gives a finished file its name, in one step that fails if the name is taken, whoever else tries, in whatever process and on whatever host. <see cref="File.Move(string, string)"/> does that on Windows; on Unix it looks first and
/// renames then, and of two that look at once both succeed. So there it is link(2) (POSIX.1-2017), which NFS does in one step too.
/// </summary>
internal static class ExclusiveName
{
    private const int Exists = 17;
    private const int NotPermitted = 1;
    private const int NotImplemented = 38;
    private const int NotSupportedOnLinux = 95;
    private const int NotSupportedOnMac = 45;

    /// <summary>True: the file has the name, and on Unix its old one too. False: somebody else has it.</summary>
    /// <exception cref="NotSupportedException">The volume has no hard links.</exception>
    /// <exception cref="IOException">It failed otherwise.</exception>
    public static bool TryGive(string file, string name)
    {
        if (OperatingSystem.IsWindows())
        {
            return TryMove(file, name);
        }

        if (Link(file, name) == 0)
        {
            return true;
        }

        return Marshal.GetLastPInvokeError() switch
        {
            Exists => false,
            NotPermitted or NotImplemented or NotSupportedOnLinux or NotSupportedOnMac => throw new NotSupportedException("its volume has no hard links, by which instances agree; use a local disk or NFS"),
            var error => throw new IOException($"link(2) failed: {Marshal.GetPInvokeErrorMessage(error)}"),
        };
    }

    private static bool TryMove(string file, string name)
    {
        try
        {
            File.Move(file, name, overwrite: false);
            return true;
        }
        catch (IOException) when (File.Exists(name))
        {
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "link", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link([MarshalAs(UnmanagedType.LPUTF8Str)] string file, [MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
