using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>Load, save and end a session that lies in the shared store, with the store's faults told in the log and turned into what an app can act on.</summary>
internal sealed class SessionLifecycle(
    SessionLoader loader, SessionSaveLoop loop, SessionLosses losses, ISessionStore store, NearCache near, ISigningKeys keys, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLifecycle> logger,
    SessionOutage? outage = null, FrameworkSessions? former = null) : ISessionCarrier
{
    public SessionsOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    /// <summary>What is done while the store is away; null: nothing.</summary>
    public SessionOutage? Outage { get; } = outage;

    /// <summary>What visitors may bring from before; null: it is not looked for.</summary>
    public FrameworkSessions? Former { get; } = former;

    /// <summary>Whether the visitor can be given a ticket.</summary>
    public bool CanIssue => keys.Current is not null;

    /// <exception cref="SessionStoreException">The store failed.</exception>
    public ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken) =>
        ticket.Content is not null ? ValueTask.FromResult(new SessionLoadResult(SessionLoadKind.Absent, Snapshot: null) { IsNear = true }) // it never lay in the store
        : Outage?.SparesStore(ticket) == true ? ValueTask.FromException<SessionLoadResult>(GuardedSessionStore.NotAsked()) : loader.LoadAsync(ticket, cancellationToken);

    /// <exception cref="SessionUnavailableException">The store failed, or the visitor could not be given a ticket.</exception>
    /// <exception cref="SessionEndedException">The session ended meanwhile.</exception>
    /// <exception cref="SessionTooLargeException">The session would be too large.</exception>
    public async ValueTask<SavedSession> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta)
    {
        if (!CanIssue)
        {
            throw new SessionUnavailableException("The session was not saved: there is no key yet to sign the visitor's ticket with.");
        }

        try
        {
            if (Outage?.SparesStore() == true)
            {
                delta.Tried = null;
                throw GuardedSessionStore.NotAsked();
            }

            var result = await loop.SaveAsync(id, start, delta);
            if (!result.Instead.IsNone)
            {
                delta.MetLoss = true;
                await losses.TellAsync(id, start.Version, result.Instead);
            }

            if (result.Saved is not { } saved)
            {
                throw SessionRefusals.Ended(id, result.Ending, metrics, logger);
            }

            metrics.SessionSaved("written");
            Outage?.TellBack();
            return new SavedSession(saved, new Ticket(id, saved.Version, saved.Generation, Time.GetUtcNow(), saved.IdleUntil, saved.Expires), StoreReach.Reachable);
        }
        catch (SessionStoreException e) when (Outage?.MayJournal(delta, e) == true)
        {
            throw new SessionUnavailableException("The session could not be saved: " + e.Message, e);
        }
        catch (SessionStoreException e)
        {
            TellFailure(id, e);
            metrics.SessionSaved("failed");
            throw new SessionUnavailableException("The session could not be saved: " + e.Message, e);
        }
        catch (SessionTooLargeException e)
        {
            SessionRefusals.TooLarge(id, e, metrics, logger);
            throw;
        }
    }

    /// <exception cref="SessionUnavailableException">The store failed; the session may still be there.</exception>
    public async ValueTask AbandonAsync(SessionId id, CancellationToken cancellationToken)
    {
        try
        {
            // A ticket of the session may turn up until its absolute limit, whenever that began.
            var key = SessionKey.Of(id);
            await store.DeleteAsync(key, Options.AbsoluteTimeout, cancellationToken);
            near.Refuse(key);
            if (logger.IsEnabled(LogLevel.Debug))
            {
                logger.SessionAbandoned(id.ToFingerprint());
            }
        }
        catch (SessionStoreException e)
        {
            TellFailure(id, e);
            throw new SessionUnavailableException("The session could not be ended: " + e.Message, e);
        }
    }

    /// <summary>The store is touched, in the background (<see cref="SessionTouchQueue"/>).</summary>
    public ValueTask<Ticket?> SlideAsync(Ticket held, SessionSnapshot session) => default;

    public void TellDropped(Exception failure) => SessionRefusals.Dropped(failure, logger);

    private void TellFailure(SessionId id, SessionStoreException fault)
    {
        if (fault.IsContention)
        {
            if (logger.IsEnabled(LogLevel.Debug))
            {
                logger.SessionContended(id.ToFingerprint(), fault.Message);
            }
        }
        else if (!GuardedSessionStore.WasNotAsked(fault))
        {
            logger.SessionSaveFailed(id.ToFingerprint(), fault.Fault.ToString(), fault.Message);
        }
    }
}
