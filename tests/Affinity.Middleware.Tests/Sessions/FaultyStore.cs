using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Tests.Sessions;

/// <summary>A store whose calls a test can delay, break before they arrive, or break after they have taken effect.</summary>
internal sealed class FaultyStore(ISessionStore inner) : ISessionStore
{
    private int _reads;
    private int _writes;
    private int _touches;

    public Func<CancellationToken, ValueTask> BeforeRead { get; set; } = _ => ValueTask.CompletedTask;

    /// <summary>Runs before the n-th write (1, 2 …) reaches the store.</summary>
    public Func<int, CancellationToken, ValueTask> BeforeWrite { get; set; } = (_, _) => ValueTask.CompletedTask;

    /// <summary>Runs when the n-th write has taken effect and before its answer arrives.</summary>
    public Func<int, CancellationToken, ValueTask> AfterWrite { get; set; } = (_, _) => ValueTask.CompletedTask;

    /// <summary>What the store says of its replicas.</summary>
    public Func<bool> Replicated { get; set; } = () => true;

    public int Reads => Volatile.Read(ref _reads);

    public int Writes => Volatile.Read(ref _writes);

    public int Touches => Volatile.Read(ref _touches);

    /// <summary>Every call fails and takes no effect, until <see cref="Heal"/>.</summary>
    public void Break()
    {
        BeforeRead = _ => throw Ambiguous();
        BeforeWrite = (_, _) => throw Ambiguous();
    }

    public void Heal()
    {
        BeforeRead = _ => ValueTask.CompletedTask;
        BeforeWrite = (_, _) => ValueTask.CompletedTask;
    }

    public static SessionStoreException Ambiguous() => new(SessionStoreFault.Ambiguous, "The reply was lost.");

    public static SessionStoreException NotApplied() => new(SessionStoreFault.NotApplied, "LOADING");

    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _reads);
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

    public ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Replicated());

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        var touched = await inner.TouchAsync(key, idle, cancellationToken);
        Interlocked.Increment(ref _touches);
        return touched;
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        await BeforeWrite(0, cancellationToken);
        await inner.DeleteAsync(key, remember, cancellationToken);
    }
}
