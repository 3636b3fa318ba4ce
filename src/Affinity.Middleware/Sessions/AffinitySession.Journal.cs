using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>While the store is away: the journal in the visitor's ticket, and what this node remembers.</summary>
internal sealed partial class AffinitySession
{
    /// <summary>First the store is told what the ticket carries, then the app sees the session; the ticket is issued anew without it.</summary>
    private async Task LoadWithJournalAsync(Ticket proof, SessionOutage outage, CancellationToken cancellationToken)
    {
        var journal = SessionJournal.Empty;
        try
        {
            if (await outage.OpenAsync(proof, cancellationToken) is not { } opened)
            {
                Accept(proof, new SessionLoadResult(SessionLoadKind.Lost, Snapshot: null));
                Reach = StoreReach.NotAsked;
                return;
            }

            if (opened.IsRedoOf(proof.Version))
            {
                journal = opened;
                await LoadWithRedoAsync(proof, outage, opened, cancellationToken);
                return;
            }

            journal = outage.Complete(proof, opened);
            var untold = outage.Untold(proof, opened);
            if (untold.IsEmpty)
            {
                Accept(proof, await carrier.LoadAsync(proof, cancellationToken)); // this node has told the store, out of another request's ticket
            }
            else
            {
                var result = await outage.ReplayAsync(proof with { Generation = proof.Generation - opened.Raises + untold.Raises }, untold).WaitAsync(cancellationToken);
                Accept(proof, new SessionLoadResult(result.Kind, result.Snapshot));
            }

            _journal = null;
            if (_snapshot is not null && carrier.CanIssue)
            {
                _onlyRead = false;
                IssueTicket();
            }
        }
        catch (SessionStoreException e)
        {
            Reach = ReachAfter(e);
            _unreachable = new SessionUnavailableException("The visitor's session cannot be reached just now: " + e.Message, e);
            if (!TryServeWithoutStore(proof, journal, e))
            {
                throw _unreachable;
            }
        }
        catch (SessionUnavailableException e)
        {
            (Reach, _unreachable) = (StoreReach.Unreachable, e);
            throw;
        }
    }

    /// <summary>The store has acknowledged what the ticket carries, and is told it again if it has lost it since. The ticket stays as it is until it is known to be replicated.</summary>
    private async Task LoadWithRedoAsync(Ticket proof, SessionOutage outage, SessionJournal redo, CancellationToken cancellationToken)
    {
        if (outage.Knows(proof))
        {
            Accept(proof, await carrier.LoadAsync(proof, cancellationToken));
        }
        else
        {
            var result = await outage.RedoAsync(proof, redo).WaitAsync(cancellationToken);
            Accept(proof, new SessionLoadResult(result.Kind, result.Snapshot));
        }

        _journal = _snapshot is null ? null : redo;
        if (_snapshot is not null && outage.IsReplicated(proof) && carrier.CanIssue)
        {
            (_journal, _onlyRead) = (null, false);
            IssueTicket();
        }
    }

    /// <summary>What this node remembers, however old, and the journal on top. Where it remembers nothing: what the journal decides, and room for changes; false.</summary>
    private bool TryServeWithoutStore(Ticket proof, SessionJournal journal, SessionStoreException fault)
    {
        if (fault is { Fault: SessionStoreFault.Unreadable } or { IsContention: true } || carrier.Outage is not { } outage || !(outage.Journals || outage.OnlyReads))
        {
            return false;
        }

        _journal = journal;
        if (outage.Remembered(proof, journal) is not { } remembered)
        {
            _onlyJournal = true;
            return false;
        }

        Show(remembered);
        (_loaded, _unreachable, _onlyJournal, _id) = (true, null, false, proof.Session);
        Origin = journal.IsEmpty ? SessionOrigin.NearCache : SessionOrigin.Journal;
        return true;
    }

    private void Show(SessionSnapshot withoutJournal)
    {
        _withoutJournal = withoutJournal;
        _snapshot = _journal is { IsEmpty: false } ? withoutJournal.With(_journal.ApplyTo(withoutJournal)) : withoutJournal;
        _onlyRead = false;
    }

    /// <summary>A store that this request has found away is not asked again for what can be journaled.</summary>
    private async Task LoadOrJournalAsync(CancellationToken cancellationToken)
    {
        if (_onlyJournal)
        {
            return;
        }

        try
        {
            await LoadAsync(cancellationToken);
        }
        catch (SessionUnavailableException) when (_onlyJournal && carrier.Outage!.Journals)
        {
            // The change does not need what is there.
        }
    }

    private void IssueTicket() => ticket.Issue(new Ticket(_id, _snapshot!.Version, _snapshot.Generation, carrier.Time.GetUtcNow(), _snapshot.IdleUntil, _snapshot.Expires));

    /// <summary>The change goes into the visitor's ticket, and for the rest of the request the store is left alone.</summary>
    private void Journal(SessionOutage outage, SessionSnapshot? start, SessionUnavailableException? cause)
    {
        if (!carrier.CanIssue)
        {
            throw new SessionUnavailableException("The session was not saved: there is no key yet to sign the visitor's ticket with.", cause);
        }

        var held = (ticket.ToIssue ?? ticket.Reading.Ticket) is { } known && (_onlyJournal || known.Session == _id) ? known : null;
        var on = _onlyJournal ? null : Delta.Tried?.On ?? _withoutJournal ?? start;
        if (!_onlyJournal)
        {
            outage.ThrowIfTooLarge(KnownId(), _snapshot?.Items ?? SessionSnapshot.NoItems, Delta);
        }

        (var issued, _journal) = outage.Add(KnownId(), held, on, _journal ?? SessionJournal.Empty, Delta, cause);
        _delta = null;
        if (on is not null)
        {
            Show(on);
        }

        Origin = SessionOrigin.Journal;
        ticket.Issue(issued);
    }
}
