using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends.Memory;

/// <summary>What lies under one key: a session, or the memory of its ending. Immutable; a write puts another one in its place.</summary>
internal abstract record MemoryRecord(TimeSpan Expires);

internal sealed record EndedMemoryRecord(TimeSpan Expires) : MemoryRecord(Expires);

internal sealed record LiveMemoryRecord(
    SessionVersion Version, int Generation, ReadOnlyMemory<byte> Payload, TimeSpan Absolute, TimeSpan Expires, SessionVersion[] Writes)
    : MemoryRecord(Expires)
{
    public static LiveMemoryRecord Create(SessionWrite write, TimeSpan now)
    {
        var absolute = MemoryClock.After(now, write.Absolute);
        return new LiveMemoryRecord(
            write.Next, write.Generation, write.Payload.ToArray(), absolute, Earlier(absolute, MemoryClock.After(now, write.Idle)), [.. write.Between, write.Next]);
    }

    public LiveMemoryRecord Update(SessionWrite write, TimeSpan now) => Touch(write.Idle, now) with
    {
        Version = write.Next,
        Generation = write.Generation,
        Payload = write.Payload.ToArray(),
        Writes = [.. Writes.Concat(write.Between).TakeLast(SessionWrite.RememberedWrites - 1), write.Next],
    };

    public LiveMemoryRecord Touch(TimeSpan idle, TimeSpan now) => this with { Expires = Earlier(Absolute, MemoryClock.After(now, idle)) };

    public StoredSession ToStored(TimeSpan now, bool withPayload) =>
        new(Version, Generation, withPayload ? Payload : default, Expires - now, Absolute - now) { Writes = withPayload ? Writes : [] };

    private static TimeSpan Earlier(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
