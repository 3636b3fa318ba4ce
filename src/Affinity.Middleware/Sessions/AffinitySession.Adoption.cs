using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>A visitor without a ticket who has a session of the framework's.</summary>
internal sealed partial class AffinitySession
{
    /// <summary>
    /// The framework's cookie proves what a ticket of generation 0 and no version would: it opens the session that was made of the framework's on whichever node, until somebody has signed in or out of that. Where none has been made, one begins here with
    /// what the framework's holds.
    /// </summary>
    private async Task AdoptAsync(FrameworkSessions former, CancellationToken cancellationToken)
    {
        try
        {
            if (former.Find(former.Cookie.Read(Context.Request)) is not { } key)
            {
                _loaded = true;
                return;
            }

            var now = carrier.Time.GetUtcNow();
            var proof = new Ticket(key.Session, SessionVersion.None, Generation: 0, now, IdleUntil: now, now + carrier.Options.AbsoluteTimeout);
            var result = await carrier.LoadAsync(proof, cancellationToken);
            var items = result.Kind == SessionLoadKind.Absent ? await former.ReadAsync(key, cancellationToken) : null;
            Accept(proof, result);
            if (items is { Count: > 0 })
            {
                Adopt(key, items);
            }
            else if (_snapshot is not null && carrier.CanIssue)
            {
                IssueTicket();
            }
            else if (result.Kind == SessionLoadKind.Ended)
            {
                former.Cookie.Remove(Context.Response);
            }
        }
        catch (SessionStoreException e)
        {
            Reach = StoreReach.Unreachable;
            _unreachable = new SessionUnavailableException("The visitor's session cannot be reached just now: " + e.Message, e);
            throw _unreachable;
        }
    }

    private void Adopt(FrameworkSessionKey key, Dictionary<string, byte[]> items)
    {
        _snapshot = SessionSnapshot.Empty(carrier.Time.GetUtcNow(), carrier.Options.AbsoluteTimeout).With(items);
        (_id, Origin, _onlyRead, LoadKind) = (key.Session, SessionOrigin.Framework, false, null);
        Delta.Adopts = true;
    }

    /// <summary>What the framework's cookie opens ends too, here and on the instances that still use it.</summary>
    private async Task EndFormerAsync(FrameworkSessions former, SessionId ended, CancellationToken cancellationToken)
    {
        try
        {
            if (former.Find(former.Cookie.Read(Context.Request)) is { } key)
            {
                await EndFormerAsync(former, key, ended, cancellationToken);
            }
        }
        catch (SessionStoreException e)
        {
            throw new SessionUnavailableException("The session could not be ended on the instances that use the framework's: " + e.Message, e);
        }
    }

    private async Task EndFormerAsync(FrameworkSessions former, FrameworkSessionKey key, SessionId ended, CancellationToken cancellationToken)
    {
        if (key.Session != ended && LoadKind is not (SessionLoadKind.Superseded or SessionLoadKind.JustSuperseded))
        {
            await carrier.AbandonAsync(key.Session, cancellationToken);
        }

        await former.RemoveAsync(key, cancellationToken);
        former.Cookie.Remove(Context.Response);
    }
}
