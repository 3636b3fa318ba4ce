using System.Diagnostics.CodeAnalysis;
using Affinity.Tickets;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Affinity.Sessions;

/// <summary>
/// One request's view of the visitor's session: the snapshot it found and the delta it collects. The framework's <see cref="ISession"/>, so TempData and all else that uses it works.
/// Like the framework's, it is not safe for concurrent use within a request.
/// </summary>
internal sealed partial class AffinitySession(TicketFeature ticket, ISessionCarrier carrier) : ISession, ISessionFeature
{
    private SessionDelta? _delta;
    private ISession? _replacement;
    private SessionSnapshot? _snapshot;
    private SessionId _id;
    private Exception? _unreachable;
    private Exception? _failure;
    private bool _savedBesideOthers;
    private SessionJournal? _journal;
    private SessionSnapshot? _withoutJournal;
    private bool _loaded = ticket.Reading.Verdict is TicketVerdict.None or TicketVerdict.Refused && carrier.Former?.Cookie.IsIn(ticket.Response.HttpContext.Request) != true;
    private bool _ended;
    private bool _closed;
    private bool _onlyRead;
    private bool _onlyJournal;

    ISession ISessionFeature.Session
    {
        get => _replacement ?? this;
        set => _replacement = value;
    }

    /// <inheritdoc/>
    public bool IsAvailable => _loaded && _unreachable is null;

    /// <summary>A fingerprint: the same on every node and in every request of the session, fit for logs, opens nothing.</summary>
    public string Id => KnownId().ToFingerprint();

    /// <inheritdoc/>
    public IEnumerable<string> Keys
    {
        get
        {
            ForgetWhatFailedHandlerChanged();
            return HasChanges ? Delta.ApplyTo(Items).Keys : Items.Keys;
        }
    }

    public SessionOrigin Origin { get; private set; }

    public StoreReach Reach { get; private set; }

    /// <summary>What the ticket led to; null when there was none or it was not loaded.</summary>
    public SessionLoadKind? LoadKind { get; private set; }

    /// <summary>What the store has lost of it.</summary>
    public SessionLoss Loss => _savedBesideOthers ? SessionLoss.Diverged : LoadKind switch
    {
        SessionLoadKind.Lost => SessionLoss.Lost,
        SessionLoadKind.Behind => SessionLoss.Behind,
        SessionLoadKind.Diverged => SessionLoss.Diverged,
        _ => SessionLoss.None,
    };

    public SessionVersion Version => _snapshot?.Version ?? SessionVersion.None;

    /// <summary>How much longer the session lives in the store if it is touched now; null when it was not read there, or has been saved or abandoned since.</summary>
    public TimeSpan? TouchGain
    {
        get
        {
            if (!_onlyRead || _snapshot is null || Origin == SessionOrigin.Cookie)
            {
                return null;
            }

            var idleIfTouched = carrier.Time.GetUtcNow() + carrier.Options.IdleTimeout;
            return (idleIfTouched < _snapshot.Expires ? idleIfTouched : _snapshot.Expires) - _snapshot.IdleUntil;
        }
    }

    /// <summary>The session's name in the store. Only for a session that is there.</summary>
    public SessionKey Key => SessionKey.Of(_id);

    /// <summary>Whether there is anything to save.</summary>
    public bool HasChanges => _delta is { IsEmpty: false };

    /// <summary>Whose it is.</summary>
    public HttpContext Context => ticket.Response.HttpContext;

    /// <summary>Why the save before the response failed; it hides behind whatever the server makes of it.</summary>
    public SaveFailure? SaveFailure { get; set; }

    // Most requests change nothing.
    private SessionDelta Delta => _delta ??= new();

    private bool IsOnDemand => carrier.Options.Load == SessionLoad.OnDemand;

    private IReadOnlyDictionary<string, byte[]> Items
    {
        get
        {
            ThrowIfNotReadable();
            return _snapshot?.Items ?? SessionSnapshot.NoItems;
        }
    }

    /// <summary>Fetches the session if that has not been done. A second call is free.</summary>
    /// <exception cref="SessionUnavailableException">The store is away; trying again in this request asks it again.</exception>
    public Task LoadAsync(CancellationToken cancellationToken = default)
    {
        if (_loaded)
        {
            return Task.CompletedTask;
        }

        if (_onlyJournal && ticket.ToIssue is not null)
        {
            return Task.FromException(_unreachable!); // what the response carries is more than what the request brought: it is told to the store with the next one
        }

        if (ticket.Reading.Ticket is not { } proof)
        {
            if (ticket.Reading.Verdict is TicketVerdict.None or TicketVerdict.Refused)
            {
                return AdoptAsync(carrier.Former!, cancellationToken);
            }

            Reach = StoreReach.Unreachable;
            _unreachable = new SessionUnavailableException("The visitor's ticket cannot be verified just now: the signing keys could not be read.");
            return Task.FromException(_unreachable);
        }

        if (carrier.Outage is { } outage && outage.Concerns(proof))
        {
            return LoadWithJournalAsync(proof, outage, cancellationToken);
        }

        var loading = carrier.LoadAsync(proof, cancellationToken);
        if (!loading.IsCompletedSuccessfully)
        {
            return AcceptAsync(proof, loading);
        }

        Accept(proof, loading.Result);
        return Task.CompletedTask;
    }

    private async Task AcceptAsync(Ticket proof, ValueTask<SessionLoadResult> loading)
    {
        try
        {
            Accept(proof, await loading);
        }
        catch (SessionStoreException e)
        {
            Reach = StoreReach.Unreachable;
            _unreachable = new SessionUnavailableException("The visitor's session cannot be reached just now: " + e.Message, e);
            if (!TryServeWithoutStore(proof, SessionJournal.Empty, e))
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

    /// <inheritdoc/>
    public bool TryGetValue(string key, [NotNullWhen(true)] out byte[]? value)
    {
        value = Peek(key) is { } found ? (byte[])found.Clone() : null;
        return value is not null;
    }

    /// <summary>The value as this request sees it, or null. The array is shared and must not be changed.</summary>
    public byte[]? Peek(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (HasChanges)
        {
            ForgetWhatFailedHandlerChanged();
        }

        if (_delta is not null && _delta.TryGet(key, out var value))
        {
            return value;
        }

        if (_onlyJournal && _journal!.TryGet(key, out value))
        {
            return value;
        }

        return Items.GetValueOrDefault(key);
    }

    /// <inheritdoc/>
    public void Set(string key, byte[] value)
    {
        ArgumentNullException.ThrowIfNull(value);
        ThrowIfNotWritable(key);
        SessionCaps.ThrowIfKeyTooLong(key, carrier.Options);
        Delta.Set(key, (byte[])value.Clone());
    }

    /// <summary>See <see cref="SessionDelta.Update"/>.</summary>
    public byte[]? Update(string key, Func<byte[]?, byte[]?> fold)
    {
        ThrowIfNotWritable(key);
        SessionCaps.ThrowIfKeyTooLong(key, carrier.Options);
        return Delta.Update(key, Peek(key), fold);
    }

    /// <inheritdoc/>
    public void Remove(string key)
    {
        ThrowIfNotWritable(key);
        // TempData removes its key in every request that has none: that is no change.
        if (!_loaded || Peek(key) is not null)
        {
            Delta.Remove(key);
        }
    }

    /// <inheritdoc/>
    public void Clear()
    {
        ThrowIfNotWritable(string.Empty);
        if (!_loaded || HasChanges || Items.Count > 0)
        {
            Delta.Clear();
        }
    }

    /// <summary>Saves now instead of before the first byte of the response. Afterwards the request sees what others have saved too.</summary>
    /// <exception cref="SessionUnavailableException">
    /// The store is away; nothing is known to be saved. The changes stay and are saved again with the response; an update, which must not be applied twice, fails that one too
    /// when this one may have arrived.
    /// </exception>
    /// <exception cref="SessionEndedException">The session was abandoned, renewed or lost meanwhile; nothing was saved.</exception>
    /// <exception cref="SessionTooLargeException">The session would be larger than it may be; nothing was saved.</exception>
    public Task CommitAsync(CancellationToken cancellationToken = default)
    {
        if (HasChanges)
        {
            ForgetWhatFailedHandlerChanged();
        }

        return HasChanges ? CommitChangesAsync(cancellationToken) : Task.CompletedTask;
    }

    private async Task CommitChangesAsync(CancellationToken cancellationToken)
    {
        await LoadOrJournalAsync(cancellationToken);
        ThrowIfLossIsRefused();
        if (_snapshot is null && !_onlyJournal && Delta.ApplyTo(SessionSnapshot.NoItems).Count == 0)
        {
            _delta = null; // nothing was there and nothing is kept: no session begins
            return;
        }

        await SaveAsync();
    }

    /// <summary>Raises the generation with the next save: tickets issued before are refused from then on. Nothing happens for a visitor without a session.</summary>
    public async Task RegenerateAsync(CancellationToken cancellationToken)
    {
        ThrowIfNotWritable(string.Empty);
        await LoadOrJournalAsync(cancellationToken);
        ThrowIfReadOnly();
        Delta.RaisesGeneration |= _snapshot is not null || _onlyJournal;
    }

    /// <summary>Ends the session at once and removes the visitor's ticket. What is set afterwards begins a new session.</summary>
    public async Task AbandonAsync(CancellationToken cancellationToken)
    {
        ThrowIfNotWritable(string.Empty);
        await LoadAsync(cancellationToken);
        // A superseded ticket opens nothing, so it ends nothing either: the session lives on under the newer one.
        var id = _snapshot is not null ? _id
            : LoadKind is SessionLoadKind.Superseded or SessionLoadKind.JustSuperseded ? default
            : ticket.Reading.Ticket?.Session ?? default;
        if (!id.IsDefault)
        {
            await carrier.AbandonAsync(id, cancellationToken);
            ticket.Remove();
        }

        if (carrier.Former is { } former && former.Cookie.IsIn(Context.Request))
        {
            await EndFormerAsync(former, id, cancellationToken);
        }

        _delta = null;
        (_snapshot, _id, Origin) = (null, default, SessionOrigin.None);
        (_journal, _withoutJournal) = (null, null);
    }

    /// <summary>Drops what was not saved; the request has failed.</summary>
    public void Discard() => _delta = null;

    /// <summary>Before the response begins: a session that was only read and lives by its ticket is handed out again in time.</summary>
    public ValueTask SlideAsync()
    {
        // Most sessions lie in the store, and are touched there.
        return Origin == SessionOrigin.Cookie && _onlyRead && _snapshot is { } read && ticket is { ToIssue: null, ToRemove: false, Reading.Ticket: { } held } ? SlideAsync(held, read) : default;
    }

    /// <summary>From now on every change throws: the response has begun.</summary>
    public void Close() => _closed = true;

    private async ValueTask SlideAsync(Ticket held, SessionSnapshot read)
    {
        if (await carrier.SlideAsync(held, read) is { } slid)
        {
            ticket.Issue(slid);
        }
    }

    private void Accept(Ticket proof, SessionLoadResult result)
    {
        (_loaded, _unreachable, Reach, LoadKind, _snapshot) = (true, null, result.IsNear ? StoreReach.NotAsked : StoreReach.Reachable, result.Kind, result.Snapshot);
        (_onlyJournal, _withoutJournal) = (false, null);
        _ended = result.Kind == SessionLoadKind.JustSuperseded;
        _id = _snapshot is null ? default : proof.Session;
        if (_snapshot is not null)
        {
            Origin = result.IsInTicket ? SessionOrigin.Cookie : result.IsNear ? SessionOrigin.NearCache : SessionOrigin.Store;
            _onlyRead = true;
        }
    }

    /// <summary>Once, where that is asked for: from then on the visitor's ticket fits what is left, so that the next request works.</summary>
    private void ThrowIfLossIsRefused()
    {
        if (Loss == SessionLoss.None || carrier.Options.OnLostWrite != LostWritePolicy.Fail)
        {
            return;
        }

        if (_snapshot is { } left)
        {
            ticket.Issue(new Ticket(_id, left.Version, left.Generation, carrier.Time.GetUtcNow(), left.IdleUntil, left.Expires));
        }
        else
        {
            ticket.Remove();
        }

        throw new SessionEndedException(SessionEnding.LostWrites);
    }

    private async Task SaveAsync()
    {
        if (_ended)
        {
            throw new SessionEndedException(SessionEnding.Superseded);
        }

        if (_delta is { HasUpdates: true, IsUndecided: true })
        {
            throw new SessionUnavailableException("It is not known whether an update of this request was saved, so it is not saved again.");
        }

        if (Reach == StoreReach.Unreachable && _journal is not null && carrier.Outage is { } outage)
        {
            ThrowIfReadOnly();
            Journal(outage, _snapshot, cause: null);
            return;
        }

        var began = _snapshot is null;
        var start = _snapshot ?? SessionSnapshot.Empty(carrier.Time.GetUtcNow(), carrier.Options.AbsoluteTimeout);
        Delta.GenerationFloor = LoadKind is SessionLoadKind.Behind or SessionLoadKind.Diverged ? ticket.Reading.Ticket?.Generation ?? 0 : 0;
        try
        {
            var saved = await carrier.SaveAsync(KnownId(), start, Delta);
            (_snapshot, Reach) = (saved.Session, saved.Reach);
            _savedBesideOthers |= Delta.MetLoss;
            // What was taken over is more than this request has changed: where it came from it still lies.
            (var issued, _journal) = Delta.Adopts ? (saved.Ticket, null) : carrier.Outage?.WithRedo(saved.Ticket, start.Version, Delta, saved.Session, _journal) ?? (saved.Ticket, null);
            ticket.Issue(issued);
        }
        catch (Exception e) when (Delta.OnlyAdopts && e is SessionUnavailableException or SessionEndedException)
        {
            // The app has changed nothing; the visitor's next request takes it over, or learns that it has ended.
            _delta = null;
            return;
        }
        catch (SessionUnavailableException e)
        {
            Reach = ReachAfter(e.InnerException);
            // Never of what is taken over: a ticket would hide the rest of it.
            if (!Delta.Adopts && e.InnerException is SessionStoreException fault && carrier.Outage?.MayJournal(Delta, fault) == true)
            {
                Journal(carrier.Outage, start, e);
                return;
            }

            Delta.IsUndecided |= e.InnerException is SessionStoreException { Fault: SessionStoreFault.Ambiguous };
            throw;
        }

        _delta = null;
        _onlyRead = false;
        Origin = began ? SessionOrigin.New : Origin;
    }

    private static StoreReach ReachAfter(Exception? fault) => fault is SessionStoreException { IsContention: true } ? StoreReach.Reachable : StoreReach.Unreachable;

    private SessionId KnownId()
    {
        if (_id.IsDefault)
        {
            _id = !_loaded && ticket.Reading.Ticket is { } proof ? proof.Session : SessionId.Create();
        }

        return _id;
    }

    /// <summary>When an exception handler of the app takes over from a handler that threw, it starts from what was saved.</summary>
    private void ForgetWhatFailedHandlerChanged()
    {
        if (Context.Features.Get<IExceptionHandlerFeature>()?.Error is not { } failure || ReferenceEquals(failure, _failure))
        {
            return;
        }

        _failure = failure;
        if (HasChanges)
        {
            carrier.TellDropped(failure);
            Discard();
        }
    }

    private void ThrowIfNotReadable()
    {
        ThrowIfLossIsRefused();
        if (_unreachable is not null)
        {
            throw new SessionUnavailableException(_unreachable.Message, _unreachable);
        }

        if (!_loaded)
        {
            throw new InvalidOperationException(IsOnDemand
                ? "The session has not been loaded. Affinity:Sessions:Load is OnDemand: await HttpContext.Session.LoadAsync() before you read from it, or set it to BeforeApp."
                : "The session has not been loaded yet: the code runs before Affinity's middleware. Call app.UseAffinity() earlier.");
        }
    }

    private static InvalidOperationException TooLate() => new(
        "The session cannot be changed once the response has started: it is saved before the first byte. Change it earlier, or buffer the response.");

    private void ThrowIfNotWritable(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!SessionCodec.IsKey(key))
        {
            throw new ArgumentException("A session key is well-formed text of at most 65,535 bytes of UTF-8.", nameof(key));
        }

        // Before anything is asked of the request: it may be over, and its context serve somebody else.
        if (_closed)
        {
            throw TooLate();
        }

        ForgetWhatFailedHandlerChanged();
        if (ticket.Response.HasStarted)
        {
            throw TooLate();
        }

        ThrowIfLossIsRefused();
        if (_unreachable is not null && !(_onlyJournal && carrier.Outage!.Journals))
        {
            throw new SessionUnavailableException(_unreachable.Message, _unreachable);
        }

        ThrowIfReadOnly();
    }

    private void ThrowIfReadOnly()
    {
        if (Reach == StoreReach.Unreachable && carrier.Outage is { OnlyReads: true })
        {
            throw new SessionUnavailableException("The session cannot be changed just now: the store is away, and Affinity:Sessions:OnStoreAway is ReadOnly.");
        }
    }
}
