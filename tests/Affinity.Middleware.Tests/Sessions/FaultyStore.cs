using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions;

/// <summary>A store whose calls a test can delay, break before they arrive, or break after they have taken effect.</summary>
internal sealed class FaultyStore(ISessionStore inner) : ISessionStore
{
    private int _writes;

    public Func<CancellationToken, ValueTask> BeforeRead { get; set; } = _ => ValueTask.CompletedTask;

    /// <summary>Runs before the n-th write (1, 2 …) reaches the store.</summary>
    public Func<int, CancellationToken, ValueTask> BeforeWrite { get; set; } = (_, _) => ValueTask.CompletedTask;

    /// <summary>Runs when the n-th write has taken effect and before its answer arrives.</summary>
    public Func<int, CancellationToken, ValueTask> AfterWrite { get; set; } = (_, _) => ValueTask.CompletedTask;

    public int Writes => Volatile.Read(ref _writes);

    public static SessionStoreException Ambiguous() => new(SessionStoreFault.Ambiguous, "The reply was lost.");

    public static SessionStoreException NotApplied() => new(SessionStoreFault.NotApplied, "LOADING");

    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        await BeforeRead(cancellationToken);
        return await inner.ReadAsync(key, known, cancellationToken);
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _writes);
        await BeforeWrite(number, cancellationToken);
        var result = await inner.WriteAsync(key, write, cancellationToken);
        await AfterWrite(number, cancellationToken);
        return result;
    }

    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => inner.TouchAsync(key, idle, cancellationToken);

    public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => inner.DeleteAsync(key, remember, cancellationToken);
}
