using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Affinity.TestKit;

/// <summary>
/// Sleeps to within about 0.1 ms by clock_nanosleep(2), without spinning. The framework's own sleeps round to whole
/// milliseconds: a relay of 1 ms would measure as 2.
/// </summary>
internal static partial class PreciseSleep
{
    private const int ClockMonotonic = 1;

    /// <summary>Sleeps until the <see cref="Stopwatch"/> timestamp has been reached.</summary>
    public static void Until(long timestamp)
    {
        // A signal may end a sleep early.
        for (var left = timestamp - Stopwatch.GetTimestamp(); left > 0; left = timestamp - Stopwatch.GetTimestamp())
        {
            var time = new TimeSpec(left / Stopwatch.Frequency, left % Stopwatch.Frequency * (1_000_000_000 / Stopwatch.Frequency));
            _ = ClockNanosleep(ClockMonotonic, 0, in time, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "clock_nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int ClockNanosleep(int clock, int flags, in TimeSpec request, nint remain);

    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(nint Seconds, nint Nanoseconds)
    {
        public TimeSpec(long seconds, long nanoseconds)
            : this((nint)seconds, (nint)nanoseconds)
        {
        }
    }
}
