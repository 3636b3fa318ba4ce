using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>What a session is while the store is away: what this node remembers of it, and a journal in the visitor's ticket of what the store could not be told.</summary>
internal sealed class SessionOutage(
    TicketSeal seal, JournalKeeper keeper, SessionReplay replay, ReplicationWatch replication, NearCache near, StoreSilence silence, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionOutage> logger)
{
    private long _journaled;

    /// <summary>Whether changes that the store cannot be told are journaled.</summary>
    public bool Journals => options.OnStoreAway == StoreAway.Journal;

    /// <summary>Whether changes are refused while the store is away and remembered sessions are read.</summary>
    public bool OnlyReads => options.OnStoreAway == StoreAway.ReadOnly;

    /// <summary>Whether a failed save can be journaled: the store is away, and nobody has to guess whether it has arrived.</summary>
    public bool MayJournal(SessionDelta delta, SessionStoreException fault) => Journals && fault is { Fault: not SessionStoreFault.Unreadable, IsContention: false } && !delta.IsForgotten;

    /// <summary>Whether a change is journaled without the store being asked, which was silent a moment ago.</summary>
    public bool SparesStore() => Journals && !silence.MayAsk();

    /// <summary>The same for a read of what this node remembers, but not freshly enough to answer by itself.</summary>
    public bool SparesStore(Ticket toRead) =>
        silence.IsSilent && Journals && near.TryFind(toRead.Session, out var known) && known.Satisfies(toRead) && !near.IsFresh(known) && !silence.MayAsk();

    /// <summary>Whether there is anything beside the store that concerns the session.</summary>
    public bool Concerns(Ticket ticket) => ticket.Journal is not null || !keeper.Untold(ticket.Session, ticket.Generation, SessionJournal.Empty).IsEmpty;

    /// <summary>Reads the journal of a ticket, an empty one if it has none.</summary>
    /// <exception cref="SessionUnavailableException">It cannot be opened here just now; the ticket must stay as it is.</exception>
    /// <returns>Null when it is damaged.</returns>
    public async ValueTask<SessionJournal?> OpenAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (ticket.Journal is not { } sealedBytes)
        {
            return SessionJournal.Empty;
        }

        var opening = await seal.OpenAsync(TicketSection.Journal, ticket.Session, sealedBytes, cancellationToken);
        var journal = SessionJournal.Empty;
        var decoding = opening.Kind switch
        {
            SealKind.Opened => SessionJournalCodec.TryDecode(opening.Content, out journal),
            SealKind.Damaged => JournalDecoding.Damaged,
            _ => JournalDecoding.Newer,
        };
        switch (decoding)
        {
            case JournalDecoding.Decoded when journal.Raises <= ticket.Generation:
                return journal;
            case JournalDecoding.Newer:
                metrics.JournalReplayed("unopened");
                logger.SessionJournalUnopened(ticket.Session.ToFingerprint());
                throw new SessionUnavailableException("The changes that the visitor's ticket carries cannot be read here just now.");
            default:
                metrics.JournalReplayed("damaged");
                logger.SessionJournalDamaged(ticket.Session.ToFingerprint());
                return null;
        }
    }

    /// <summary>The journal, with what this node has put into other tickets of the same visitor.</summary>
    public SessionJournal Complete(Ticket ticket, SessionJournal journal) => keeper.Complete(ticket.Session, ticket.Generation - journal.Raises, ticket.Version, journal);

    /// <summary>The same, and before it what this node has put into a ticket from before one that was given to the visitor since: told to the store if it does not know it, and not shown to the visitor.</summary>
    public SessionJournal Untold(Ticket ticket, SessionJournal journal) => keeper.Untold(ticket.Session, ticket.Generation - journal.Raises, journal);

    /// <summary>Tells the store what the journal holds; see <see cref="SessionReplay"/>.</summary>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    public async Task<ReplayResult> ReplayAsync(Ticket ticket, SessionJournal journal)
    {
        try
        {
            if (Remembered(ticket, journal) is not null && SparesStore())
            {
                throw GuardedSessionStore.NotAsked();
            }

            var result = await replay.ReplayAsync(ticket, journal);
            keeper.Told(ticket.Session, ticket.Generation - journal.Raises, journal);
            if (result.Snapshot is not null)
            {
                TellBack();
            }

            return result;
        }
        catch (SessionStoreException e) when (!e.IsContention)
        {
            metrics.JournalReplayed("away");
            throw;
        }
    }

    /// <summary>Whether this node can answer by itself with what a ticket proves.</summary>
    public bool Knows(Ticket ticket) => near.TryFind(ticket.Session, out var known) && known.Satisfies(ticket) && near.IsFresh(known);

    /// <summary>Looks whether the store has what it had acknowledged, and makes it so.</summary>
    /// <param name="ticket">The visitor's.</param>
    /// <param name="redo">What it carries of that.</param>
    /// <exception cref="SessionStoreException">The store failed.</exception>
    public Task<ReplayResult> RedoAsync(Ticket ticket, SessionJournal redo) => replay.ReplayAsync(ticket, redo);

    /// <summary>Whether the save that made the ticket's version need not ride along any longer.</summary>
    public bool IsReplicated(Ticket ticket) => options.Durability != SessionDurability.Replicated || replication.IsReplicated(ticket.Session, ticket.Version.Stamp);

    /// <summary>The ticket after a save, with what rides along of this save and of earlier ones; as much of it as has room, the newest first. A sign-in does not ride along: a ticket of its generation does what is needed.</summary>
    /// <param name="issued">The ticket without it.</param>
    /// <param name="before">The version that the request began with.</param>
    /// <param name="delta">What was saved.</param>
    /// <param name="saved">What has come of it.</param>
    /// <param name="earlier">What rides along already.</param>
    /// <returns>The ticket, and what it carries; null: nothing.</returns>
    public (Ticket Ticket, SessionJournal? Redo) WithRedo(Ticket issued, SessionVersion before, SessionDelta delta, SessionSnapshot saved, SessionJournal? earlier)
    {
        if (options.Durability != SessionDurability.Replicated || delta.RaisesGeneration)
        {
            return (issued, null);
        }

        _ = replication.IsReplicated(issued.Session, issued.Version.Stamp); // it is not yet; asked from now on
        var changes = delta.Changes.ToDictionary(change => change.Key, change => saved.Items.GetValueOrDefault(change.Key), StringComparer.Ordinal);
        var entry = new JournalEntry(before, issued.Version.Stamp, delta.Clears, delta.RaisesGeneration, changes);
        var last = new SessionJournal([entry]);
        foreach (var redo in (ReadOnlySpan<SessionJournal?>)[earlier?.With(entry), last])
        {
            if (redo is not null && Seal(issued.Session, redo, out _) is { } sealedBytes)
            {
                return (issued with { Journal = sealedBytes }, redo);
            }
        }

        return (issued, null);
    }

    /// <summary>What can be shown of a session that the store cannot be asked for, without its journal; null: nothing.</summary>
    public SessionSnapshot? Remembered(Ticket ticket, SessionJournal journal)
    {
        var proven = ticket.Generation - journal.Raises;
        if (near.TryFind(ticket.Session, out var known) && known.Satisfies(ticket with { Generation = proven }))
        {
            return known.Snapshot;
        }

        // It began, or began anew, while the store was away: the journal is all there is.
        return (ticket.Version.IsNone && !journal.IsEmpty) || journal.Clears ? Nothing(ticket, proven) : null;
    }

    /// <summary>Adds what a request changes to the journal, and answers the ticket that carries it.</summary>
    /// <param name="session">The session.</param>
    /// <param name="held">The visitor's ticket of this session; null for a session that begins.</param>
    /// <param name="on">What the request worked on, without the journal; null when only the journal is at hand.</param>
    /// <param name="journal">The journal so far, completed.</param>
    /// <param name="delta">What is added. An update counts with the value that it gives on what this node has journaled.</param>
    /// <param name="cause">Why the store was not told.</param>
    /// <exception cref="SessionUnavailableException">It does not fit, or cannot be sealed. Nothing of it is kept.</exception>
    public (Ticket Ticket, SessionJournal Journal) Add(SessionId session, Ticket? held, SessionSnapshot? on, SessionJournal journal, SessionDelta delta, Exception? cause)
    {
        on = delta.Tried?.On ?? on;
        var proven = Math.Max(on?.Generation ?? 0, delta.GenerationFloor);
        if (on is null)
        {
            proven = held!.Generation - journal.Raises;
        }

        var version = on is not null && (held is null || on.Version.Counter >= held.Version.Counter) ? on.Version : held!.Version;
        var tag = delta.Tried?.Next.Stamp ?? JournalEntry.NewTag();
        JournalEntry EntryOn(SessionJournal known) => new(on?.Version ?? version, tag, delta.Clears, delta.RaisesGeneration, delta.ToValues(known));
        var added = keeper.Append(session, proven, version, journal, EntryOn) ?? throw Full(session, journal, EntryOn(journal), cause);
        if (Seal(session, added, out var lacksKey) is not { } sealedBytes)
        {
            keeper.Retract(session, added);
            throw lacksKey
                ? new SessionUnavailableException("The session was not saved: the store is away, and the change could not be encrypted for the visitor's cookie.", cause)
                : Full(session, journal, EntryOn(journal), cause);
        }

        TellAway(cause);
        metrics.SessionSaved("journaled");
        var now = time.GetUtcNow();
        var expires = on?.Expires ?? held!.Expires;
        var idleUntil = now + options.IdleTimeout;
        return (new Ticket(session, version, proven + added.Raises, now, idleUntil < expires ? idleUntil : expires, expires) { Journal = sealedBytes }, added);
    }

    /// <summary>What a save would refuse is not journaled either: it would be answered as kept, and dropped when the store is back.</summary>
    /// <exception cref="SessionTooLargeException">The session would be too large.</exception>
    public void ThrowIfTooLarge(SessionId session, IReadOnlyDictionary<string, byte[]> items, SessionDelta delta)
    {
        try
        {
            var after = delta.ApplyTo(items);
            SessionCaps.ThrowIfTooMany(items, after, options);
            SessionCodec.Measure(after, options.MaxBytes);
        }
        catch (SessionTooLargeException e)
        {
            SessionRefusals.TooLarge(session, e, metrics, logger);
            throw;
        }
    }

    /// <summary>The store has taken a change.</summary>
    public void TellBack()
    {
        if (Volatile.Read(ref _journaled) > 0 && Interlocked.Exchange(ref _journaled, 0) is > 0 and var count)
        {
            logger.SessionJournalEnded(count);
        }
    }

    /// <summary>A journal as a ticket carries it; null: it has no room there, or there is no key just now.</summary>
    private byte[]? Seal(SessionId session, SessionJournal journal, out bool lacksKey)
    {
        lacksKey = false;
        if (SessionJournalCodec.SizeOf(journal) > seal.MaxLength)
        {
            return null;
        }

        lacksKey = !seal.TrySeal(TicketSection.Journal, session, SessionJournalCodec.Encode(journal), out var sealedBytes);
        return sealedBytes?.Length <= seal.MaxLength ? sealedBytes : null;
    }

    private void TellAway(Exception? cause)
    {
        if (Interlocked.Increment(ref _journaled) == 1)
        {
            logger.SessionJournalBegun(cause?.InnerException?.Message ?? cause?.Message ?? "it did not answer a read");
        }
    }

    private SessionUnavailableException Full(SessionId session, SessionJournal journal, JournalEntry entry, Exception? cause)
    {
        var size = SessionJournalCodec.SizeOf(new SessionJournal([.. journal.Entries, entry]));
        metrics.SessionSaved("journal_full");
        logger.SessionJournalFull(session.ToFingerprint(), size, seal.MaxLength);
        return new SessionUnavailableException(
            $"The session was not saved: the store is away, and the changes that it could not be told take {size} bytes before encryption in at most {SessionJournal.MaxEntries} parts, where the visitor's cookie has "
            + $"room for {seal.MaxLength} after it (Affinity:Ticket:MaxBytes).",
            cause);
    }

    private SessionSnapshot Nothing(Ticket ticket, int generation)
    {
        var empty = SessionSnapshot.Empty(time.GetUtcNow(), options.AbsoluteTimeout, generation);
        return new SessionSnapshot
        {
            Version = ticket.Version,
            Generation = generation,
            Created = empty.Created,
            Renewed = empty.Renewed,
            Items = empty.Items,
            IdleUntil = ticket.IdleUntil,
            Expires = ticket.Expires,
        };
    }
}
