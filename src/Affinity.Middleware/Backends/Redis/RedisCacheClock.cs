namespace Affinity.Backends.Redis;

/// <summary>
/// What the server's clock shows at least, told from its last answer: it showed its time before the answer arrived here, and has gone on since as this node's timer has. Never ahead, unless the server's clock was put back.
/// </summary>
internal sealed class RedisCacheClock(TimeProvider time)
{
    // The server's milliseconds at this node's timestamp 0; the least value before the first answer.
    private long _offset = long.MinValue;

    /// <summary>Milliseconds of the server's clock that are past; 0: it has not answered yet.</summary>
    public long Now => Volatile.Read(ref _offset) is var offset and not long.MinValue ? Math.Max(0, offset + Local()) : 0;

    /// <summary>An answer with the server's time has just arrived.</summary>
    public void Note(long milliseconds) => Volatile.Write(ref _offset, milliseconds - Local() - 1);

    private long Local() => (long)time.GetElapsedTime(0).TotalMilliseconds;
}
