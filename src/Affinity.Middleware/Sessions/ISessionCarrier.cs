using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What a request's view of its session rests on: where sessions come from and where they go, the shared store or the visitor's ticket.</summary>
internal interface ISessionCarrier
{
    SessionsOptions Options { get; }

    TimeProvider Time { get; }

    /// <summary>What is done while the store is away; null: nothing, or there is none to be away.</summary>
    SessionOutage? Outage { get; }

    /// <summary>The sessions that the app kept before, for visitors who have no ticket yet; null: they are not looked for.</summary>
    FrameworkSessions? Former { get; }

    /// <summary>Whether the visitor can be given a ticket.</summary>
    bool CanIssue { get; }

    /// <exception cref="SessionStoreException">The store failed.</exception>
    /// <exception cref="SessionUnavailableException">What the ticket carries cannot be read here just now.</exception>
    ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken);

    /// <summary>Saves what a request changes, and says with which ticket the visitor comes back to it.</summary>
    /// <exception cref="SessionUnavailableException">It could not be saved, or the visitor could not be given a ticket.</exception>
    /// <exception cref="SessionEndedException">The session ended meanwhile.</exception>
    /// <exception cref="SessionTooLargeException">The session would be too large.</exception>
    ValueTask<SavedSession> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta);

    /// <exception cref="SessionUnavailableException">The store failed; the session may still be there.</exception>
    ValueTask AbandonAsync(SessionId id, CancellationToken cancellationToken);

    /// <summary>The ticket with which a session that was only read lives on, where the ticket is what keeps it; null: it is not due, must not be, or is not the ticket's affair.</summary>
    ValueTask<Ticket?> SlideAsync(Ticket held, SessionSnapshot session);

    /// <summary>Says that what a handler changed before it threw is not saved.</summary>
    void TellDropped(Exception failure);
}

/// <summary>What a save led to.</summary>
/// <param name="Session">The session as it is now.</param>
/// <param name="Ticket">What the visitor is given.</param>
/// <param name="Reach">What was learned of the store.</param>
internal readonly record struct SavedSession(SessionSnapshot Session, Ticket Ticket, StoreReach Reach);
