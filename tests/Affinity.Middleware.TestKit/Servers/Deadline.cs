using System.Diagnostics;

namespace Affinity.TestKit;

/// <summary>An instant in real time after which a wait has failed.</summary>
internal readonly record struct Deadline(long Timestamp)
{
    public bool HasPassed => Stopwatch.GetTimestamp() >= Timestamp;

    public static Deadline In(TimeSpan time) => new(Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency));
}
