namespace Affinity.Backends.Memory;

/// <summary>The backend's own clock: it runs from zero and never jumps, whatever happens to the date of the machine.</summary>
internal sealed class MemoryClock(TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeSpan Now => time.GetElapsedTime(_start);

    /// <summary>The point that lies <paramref name="duration"/> after <paramref name="now"/>, or the end of time.</summary>
    public static TimeSpan After(TimeSpan now, TimeSpan duration) =>
        duration > TimeSpan.MaxValue - now ? TimeSpan.MaxValue : now + duration;
}
