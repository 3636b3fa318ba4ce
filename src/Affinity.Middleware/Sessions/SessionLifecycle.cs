using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>Load, save and end a session: what a request's view asks for, with the store's faults told in the log and turned into what an app can act on.</summary>
internal sealed class SessionLifecycle(
    SessionLoader loader, SessionSaveLoop loop, SessionLosses losses, ISessionStore store, NearCache near, ISigningKeys keys, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLifecycle> logger,
    SessionOutage? outage = null)
{
    public SessionsOptions Options { get; } = options;

    public TimeProvider Time { get; } = time;

    /// <summary>What is done while the store is away; null: nothing.</summary>
    public SessionOutage? Outage { get; } = outage;

    /// <summary>Whether the visitor can be given a ticket.</summary>
    public bool CanIssue => keys.Current is not null;

    /// <exception cref="SessionStoreException">The store failed.</exception>
    public ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken) =>
        Outage?.SparesStore(ticket) == true ? ValueTask.FromException<SessionLoadResult>(GuardedSessionStore.NotAsked()) : loader.LoadAsync(ticket, cancellationToken);

    /// <exception cref="SessionUnavailableException">The store failed, or the visitor could not be given a ticket.</exception>
    /// <exception cref="SessionEndedException">The session ended meanwhile.</exception>
    /// <exception cref="SessionTooLargeException">The session would be too large.</exception>
    public async ValueTask<SessionSnapshot> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta)
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
                throw Refused(id, result.Ending);
            }

            metrics.SessionSaved("written");
            Outage?.TellBack();
            return saved;
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
            TellTooLarge(id, e);
            throw;
        }
    }

    /// <summary>What a save would refuse is not journaled either: it would be answered as kept, and dropped when the store is back.</summary>
    /// <exception cref="SessionTooLargeException">The session would be too large.</exception>
    public void ThrowIfTooLarge(SessionId id, IReadOnlyDictionary<string, byte[]> items, SessionDelta delta)
    {
        try
        {
            var after = delta.ApplyTo(items);
            SessionCaps.ThrowIfTooMany(items, after, Options);
            SessionCodec.Measure(after, Options.MaxBytes);
        }
        catch (SessionTooLargeException e)
        {
            TellTooLarge(id, e);
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

    /// <summary>Says that what a handler changed before it threw is not saved.</summary>
    public void TellDropped(Exception failure)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.SessionChangesDropped(failure.GetType().Name);
        }
    }

    private void TellTooLarge(SessionId id, SessionTooLargeException fault)
    {
        logger.SessionTooLarge(id.ToFingerprint(), fault.Size, fault.Measure, fault.Limit);
        metrics.SessionSaved("too_large");
    }

    private void TellFailure(SessionId id, SessionStoreException fault)
    {
        if (!GuardedSessionStore.WasNotAsked(fault))
        {
            logger.SessionSaveFailed(id.ToFingerprint(), fault.Fault.ToString(), fault.Message);
        }
    }

    private SessionEndedException Refused(SessionId id, SessionEnding ending)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            logger.SessionSaveRefused(id.ToFingerprint(), ending.ToString());
        }

        metrics.SessionSaved(ending switch
        {
            SessionEnding.Abandoned => "ended",
            SessionEnding.Superseded => "superseded",
            SessionEnding.Lost => "lost",
            SessionEnding.LostWrites => "lost_writes",
            _ => throw new System.Diagnostics.UnreachableException(),
        });
        return new SessionEndedException(ending);
    }
}
