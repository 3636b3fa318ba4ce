using System.Diagnostics;
using System.Globalization;

namespace Affinity.LoadBench;

/// <summary>wrk, told by a small script to rotate through visitors and to report in numbers.</summary>
internal static class Wrk
{
    private const string Script = """
        local requests, next = {}, 0
        function init(arguments)
          for line in io.lines(arguments[1]) do
            requests[#requests + 1] = wrk.format('GET', wrk.path, line ~= '' and { ['Cookie'] = line } or nil)
          end
        end
        function request()
          next = next % #requests + 1
          return requests[next]
        end
        function done(summary, latency)
          local bad = summary.errors
          print(string.format('RESULT %d %d %.1f %.1f %d %d', summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
            bad.connect + bad.read + bad.write + bad.status + bad.timeout, summary.bytes))
        end
        """;

    /// <summary>One thread for all: it is the same for every contender, and leaves the most to them.</summary>
    public static async Task<WrkResult> RunAsync(Uri address, IReadOnlyList<string> cookies, int connections, TimeSpan duration)
    {
        var folder = Directory.CreateTempSubdirectory("wrk-").FullName;
        try
        {
            var (script, lines) = (Path.Combine(folder, "visitors.lua"), Path.Combine(folder, "cookies"));
            await File.WriteAllTextAsync(script, Script);
            await File.WriteAllLinesAsync(lines, cookies);
            using var wrk = Process.Start(new ProcessStartInfo("wrk", ["-t1", $"-c{connections}", $"-d{Math.Ceiling(duration.TotalSeconds)}s", "-s", script, address.ToString(), "--", lines])
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            })!;
            var output = await wrk.StandardOutput.ReadToEndAsync();
            await wrk.WaitForExitAsync();
            var words = output.Split('\n').SingleOrDefault(line => line.StartsWith("RESULT ", StringComparison.Ordinal))?.Split(' ') ?? throw new InvalidOperationException("wrk said: " + output);
            return new WrkResult(long.Parse(words[1], Numbers), double.Parse(words[2], Numbers), double.Parse(words[3], Numbers), double.Parse(words[4], Numbers), long.Parse(words[5], Numbers), long.Parse(words[6], Numbers));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static CultureInfo Numbers => CultureInfo.InvariantCulture;
}

/// <summary>Times in microseconds; <paramref name="Bytes"/> came back in all.</summary>
internal readonly record struct WrkResult(long Requests, double Microseconds, double P50, double P99, long Errors, long Bytes);
