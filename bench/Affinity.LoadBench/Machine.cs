using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Affinity.LoadBench;

/// <summary>What results were measured on.</summary>
internal static class Machine
{
    public static string Describe()
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(": ")[1] ?? "unknown processor";
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20;
        return FormattableString.Invariant($"{processor}, {Environment.ProcessorCount} cores shared by the apps, wrk and redis-server; {memory:N0} MiB; Linux {Environment.OSVersion.Version}; {RuntimeInformation.FrameworkDescription}, server GC; ")
            + $"{Version("redis-server", 2)}; {Version("wrk", 2)}.";
    }

    private static string Version(string program, int words)
    {
        using var process = Process.Start(new ProcessStartInfo(program, "--version") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var text = process.StandardOutput.ReadLine() ?? "";
        process.WaitForExit();
        return program is "wrk" ? string.Join(' ', text.Split(' ').Take(words)) : program + " " + (text.Split(' ').FirstOrDefault(word => word.StartsWith("v=", StringComparison.Ordinal)) ?? text)[2..];
    }
}
