using Affinity.Sessions;
using Affinity.Tickets;
using Polly.CircuitBreaker;

namespace Affinity.Backends.Standby;

/// <summary>
/// Sessions at whichever of two stores all nodes use. What was answered while another order took effect is not believed: it is a fault, and the session stage keeps the change and tells it later, to the store that counts then.
/// </summary>
internal sealed class SwitchingSessionStore(SharedSite first, SharedSite standby, StandbyState state, StandbyEndings endings) : ISessionStore
{
    /// <inheritdoc/>
    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(store => store.ReadAsync(key, known, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(store => store.ReadLatestAsync(key, known, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken) =>
        ReadAsync(store => store.ReadAtLeastAsync(key, known, atLeast, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken) => ChangeAsync(store => store.WriteAsync(key, write, cancellationToken));

    /// <inheritdoc/>
    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => ChangeAsync(store => store.TouchAsync(key, idle, cancellationToken));

    /// <inheritdoc/>
    /// <remarks>Told to both: a session that was ended here must not live on there, for the day on which that store is used.</remarks>
    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        var site = await ChangeAsync(async store =>
        {
            await store.DeleteAsync(key, remember, cancellationToken);
            return ReferenceEquals(store, first.Sessions) ? StandbySite.First : StandbySite.Standby;
        });
        endings.Owe(site == StandbySite.First ? StandbySite.Standby : StandbySite.First, key, remember);
    }

    /// <inheritdoc/>
    public ValueTask<string?> TestifyAsync(CancellationToken cancellationToken) => StoreOf(state.Decide().Home).TestifyAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken) => StoreOf(state.Decide().Home).IsReplicatedAsync(cancellationToken);

    private async ValueTask<SessionRead> ReadAsync(Func<ISessionStore, ValueTask<SessionRead>> read)
    {
        var site = state.Decide().Reads ?? throw NotNow();
        var answer = await read(StoreOf(site));
        return state.Decide().Reads == site ? answer : throw NotNow();
    }

    private async ValueTask<T> ChangeAsync<T>(Func<ISessionStore, ValueTask<T>> change)
    {
        var site = state.Decide().Writes ?? throw NotNow();
        var answer = await change(StoreOf(site));
        return state.Decide().Writes == site ? answer : throw new SessionStoreException(SessionStoreFault.Ambiguous, "The nodes moved to the other store while this one answered.");
    }

    private ISessionStore StoreOf(StandbySite site) => site == StandbySite.First ? first.Sessions : standby.Sessions;

    /// <summary>In the form by which the session stage knows that it need not try again at once, nor tell of it.</summary>
    private static SessionStoreException NotNow() =>
        new(SessionStoreFault.NotApplied, "The nodes are moving to the other store, or it is not certain which one they use.", new BrokenCircuitException());
}
