using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

/// <summary>What of <see cref="ISessionStore"/> every store keeps, one too that cannot check and write in one step. Such a store derives from this; all others from <see cref="SessionStoreConformance"/>.</summary>
/// <remarks>
/// With a real server time is real: facts wait for something to be gone, and give what must still be there a limit of an hour, so that a slow machine can't fail them.
/// </remarks>
public abstract partial class WeakSessionStoreConformance
{
    private protected static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private protected SessionKey Key { get; } = SessionKey.Of(SessionId.Create());

    /// <summary>The store under test; other tests may use it at the same time.</summary>
    protected abstract ISessionStore Store { get; }

    /// <summary>A limit that is comfortably longer than a few calls and short enough to wait for.</summary>
    protected virtual TimeSpan Soon => TimeSpan.FromMinutes(1);

    /// <summary>Lets at least this much of the store's time pass; exactly this much where time is in hand.</summary>
    protected abstract Task PassAsync(TimeSpan time);

    private protected static SessionWrite Create(byte[]? payload = null, TimeSpan? idle = null, TimeSpan? absolute = null, int generation = 0) =>
        After(SessionVersion.None, payload, idle, absolute, generation);

    private protected static SessionWrite After(
        SessionVersion expected, byte[]? payload = null, TimeSpan? idle = null, TimeSpan? absolute = null, int generation = 0) =>
        new(expected, expected.Next(), generation, payload ?? [1, 2, 3], idle ?? Hour, absolute ?? Hour);

    /// <summary>The same write, by its stamp, on top of another version.</summary>
    private protected static SessionWrite Again(SessionWrite write, SessionVersion on) =>
        write with { Expected = on, Next = write.Next with { Counter = on.Counter + 1 } };

    private protected async Task<SessionVersion> WrittenAsync(SessionWrite write)
    {
        var result = await Store.WriteAsync(Key, write, CancellationToken.None);
        Assert.Equal(new SessionWriteResult(SessionWriteKind.Written, Newer: null), result);
        return write.Next;
    }

    private protected async Task<SessionVersion> WrittenAsync(SessionVersion expected, int times)
    {
        for (var i = 0; i < times; i++)
        {
            expected = await WrittenAsync(After(expected));
        }

        return expected;
    }

    private protected async Task<SessionWriteKind> TryWriteAsync(SessionWrite write) => (await Store.WriteAsync(Key, write, CancellationToken.None)).Kind;

    private protected ValueTask<SessionRead> ReadAsync(SessionVersion known = default) => Store.ReadAsync(Key, known, CancellationToken.None);

    private protected async Task<StoredSession> FoundAsync()
    {
        var read = await ReadAsync();
        Assert.Equal(SessionReadKind.Found, read.Kind);
        return read.Session!;
    }
}
