namespace Affinity.Sessions;

/// <summary>What a node remembers of sessions that it has read or saved: section <c>Affinity:Sessions:NearCache</c>.</summary>
public sealed class NearCacheOptions
{
    /// <summary>Whether it remembers any. True by default; false: every request with a ticket reads the store.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>
    /// For how long a remembered session answers without the store being asked. A session that was ended or renewed on another node is refused here within this time, even if its announcement is lost.
    /// 100 ms to 1 minute; 5 seconds by default.
    /// </summary>
    public TimeSpan MaxAge { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How many bytes of memory the sessions may take, about; those that were not used for longest go first. 64 KiB to 64 GiB. Null (the default): one sixteenth of what the process may use, at most 1 GiB.
    /// </summary>
    public long? MaxBytes { get; set; }
}
