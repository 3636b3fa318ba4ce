using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>What became of a save.</summary>
/// <param name="Saved">The session as it is now, when it was saved; else null.</param>
/// <param name="Ending">Why it could not be, when <paramref name="Saved"/> is null.</param>
internal readonly record struct SessionSaveResult(SessionSnapshot? Saved, SessionEnding Ending)
{
    /// <summary>What the store had instead of what the request began with: the store has lost that, and this node no longer has it either. None: nothing was lost.</summary>
    public SessionVersion Instead { get; init; }

    /// <summary>How long the write took that the store accepted.</summary>
    public TimeSpan Trip { get; init; }
}

/// <summary>
/// The one loop that saves: apply the delta to the snapshot, write if nobody was first, else apply it to the newer one and try again.
/// Parallel requests merge by it and none is lost; a session that was abandoned or renewed meanwhile is never brought back. What the store has lost and this node remembers is saved along.
/// </summary>
internal sealed class SessionSaveLoop(ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics)
{
    // A node with a line always knows the newest version, so it would win every race against one that learns of it by losing: now and then it lets others go first.
    private const int SavesBeforeRest = 8;

    private const string BeatenTooLong = "The session could not be saved in time: others wrote it first, again and again, for ten times Affinity:Sessions:StoreTimeout. Too many requests write one session.";

    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(100);

    private readonly CommitQueue _queue = new();

    /// <param name="id">The session.</param>
    /// <param name="start">What the request worked on; Version None to create.</param>
    /// <param name="delta">What it changes.</param>
    /// <exception cref="SessionStoreException">The store failed, or too many others wrote for ten times <see cref="SessionsOptions.StoreTimeout"/>; it is not known to be saved.</exception>
    /// <exception cref="SessionTooLargeException">With this delta the session is larger than it may be.</exception>
    public async ValueTask<SessionSaveResult> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta)
    {
        (delta.Tried, delta.WasBeaten) = (null, false);
        return await RunAsync(id, start, delta, walk: null, entry: null);
    }

    /// <summary>Gives the store one entry of a journal, on top of what the walk has come to.</summary>
    /// <param name="id">The session.</param>
    /// <param name="walk">Moved on.</param>
    /// <param name="entry">What the store could not be told.</param>
    /// <exception cref="SessionStoreException">The store failed; the entry may be given again.</exception>
    /// <exception cref="SessionTooLargeException">With this entry the session is larger than it may be.</exception>
    public async ValueTask<JournalStep> ReplayAsync(SessionId id, JournalWalk walk, JournalEntry entry)
    {
        var delta = entry.ToDelta();
        delta.GenerationFloor = walk.Floor;
        await RunAsync(id, walk.Current, delta, walk, entry);
        return walk.Step;
    }

    private async ValueTask<SessionSaveResult> RunAsync(SessionId id, SessionSnapshot start, SessionDelta delta, JournalWalk? walk, JournalEntry? entry)
    {
        var key = near.TryFind(id, out var known) ? known.Key : SessionKey.Of(id);
        // Ten calls' time for all that wait in line and all tries; the visitor hanging up does not end it.
        using var limit = new CancellationTokenSource(options.StoreTimeout * 10, time);
        try
        {
            using var turn = await _queue.EnterAsync(key, limit.Token);
            if (turn.FoundStoreAway && options.OnStoreAway == StoreAway.Journal)
            {
                throw GuardedSessionStore.NotAsked();
            }

            if (turn.Saved % SavesBeforeRest == SavesBeforeRest - 1 && turn.Trip > TimeSpan.Zero)
            {
                await RestAsync(turn.Trip * 2, limit.Token);
            }

            var asOf = time.GetTimestamp();
            try
            {
                var result = walk is null
                    ? await SaveInTurnAsync(id, key, start, turn.Latest, delta, limit.Token)
                    : await ReplayInTurnAsync(key, walk, entry!, delta, limit.Token);
                turn.HandOver(result.Saved, result.Trip);
                Remember(id, key, result, asOf);
                return result;
            }
            catch (SessionStoreException e) when (e is { Fault: not SessionStoreFault.Unreadable, IsContention: false })
            {
                turn.TellStoreAway();
                throw;
            }
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            near.Doubt(key);
            throw new SessionStoreException(SessionStoreFault.Ambiguous, delta.WasBeaten ? BeatenTooLong : "The session could not be saved in time: the store is slow.", e) { IsContention = delta.WasBeaten };
        }
        catch (SessionStoreException)
        {
            near.Doubt(key);
            throw;
        }
    }

    private void Remember(SessionId id, SessionKey key, SessionSaveResult result, long asOf)
    {
        if (result.Saved is { } saved)
        {
            near.Put(id, new NearSession(key, saved, asOf));
        }
        else
        {
            near.Refuse(key);
        }
    }

    private async ValueTask<SessionSaveResult> SaveInTurnAsync(
        SessionId id, SessionKey key, SessionSnapshot start, SessionSnapshot? latest, SessionDelta delta, CancellationToken cancellationToken)
    {
        var current = latest is not null && latest.Version.Counter > start.Version.Counter ? latest : start;
        var (expected, instead) = (current.Version, SessionVersion.None);
        for (var tries = 1; !cancellationToken.IsCancellationRequested; tries++)
        {
            if (current.Generation != start.Generation)
            {
                return new(Saved: null, SessionEnding.Superseded);
            }

            var asOf = time.GetTimestamp();
            var next = Next(current, expected, delta, entry: null, out var write);
            var result = await TryWriteAsync(key, current, next, write, delta, cancellationToken);
            switch (result.Kind)
            {
                case SessionWriteKind.Written:
                    return new(next, default) { Instead = instead, Trip = time.GetElapsedTime(asOf) };
                case SessionWriteKind.Superseded:
                    // Renewed on top of this write: who asked has proved the older generation only and must not be handed a ticket of the newer.
                    return result.Newer!.Generation == next.Generation
                        ? new(SessionDecoder.Decode(result.Newer, time, asOf), default)
                        : new(Saved: null, SessionEnding.Superseded);
                case SessionWriteKind.Conflict:
                    metrics.SaveConflict();
                    var stored = SessionDecoder.Decode(result.Newer!, time, asOf);
                    (current, expected) = (Basis(id, current, stored), stored.Version);
                    instead = instead.IsNone && ReferenceEquals(current, stored) && SessionHistory.Of(stored, start) != SessionKinship.Later ? stored.Version : instead;
                    if (!instead.IsNone && options.OnLostWrite == LostWritePolicy.Fail)
                    {
                        return new(Saved: null, SessionEnding.LostWrites) { Instead = instead };
                    }

                    delta.WasBeaten = true;
                    await PauseAsync(tries, time.GetElapsedTime(asOf), cancellationToken);
                    break;
                case SessionWriteKind.Ended:
                    return new(Saved: null, SessionEnding.Abandoned);
                case SessionWriteKind.Absent when Remembered(id, current) is { } remembered:
                    (current, expected) = (remembered, SessionVersion.None);
                    await PauseAsync(tries, time.GetElapsedTime(asOf), cancellationToken);
                    break;
                case SessionWriteKind.Absent:
                    return new(Saved: null, SessionEnding.Lost);
                default:
                    throw new UnreachableException();
            }
        }

        throw Contention();
    }

    /// <summary>What the delta is applied to when the store has this: itself, or what this node remembers and the store has lost since.</summary>
    private SessionSnapshot Basis(SessionId id, SessionSnapshot current, SessionSnapshot stored) =>
        SessionHistory.Of(stored, current) != SessionKinship.Later && Remembered(id, current) is { } known && SessionHistory.Of(stored, known) == SessionKinship.Earlier ? known : stored;

    /// <summary>
    /// The newest that this node knows, of the history that the request began with, of a session which the store has lost; null when it does not remember it: then it may have heard that the session was ended, and it must not come back.
    /// </summary>
    private SessionSnapshot? Remembered(SessionId id, SessionSnapshot current) =>
        !near.TryFind(id, out var known) || known.Snapshot.Generation != current.Generation || current.Expires <= time.GetUtcNow() ? null
        : SessionHistory.Of(known.Snapshot, current) == SessionKinship.Later ? known.Snapshot
        : current;

    /// <summary>
    /// Every write has the entry's tag. The first one stands on the version that the entry was made on: if the store has moved on since, it looks whether it knows the tag before it says no.
    /// What it answers then is a version without the tag, so that a write on top of just that one is a first one.
    /// </summary>
    private async ValueTask<SessionSaveResult> ReplayInTurnAsync(SessionKey key, JournalWalk walk, JournalEntry entry, SessionDelta delta, CancellationToken cancellationToken)
    {
        if (walk.Current.Version.Stamp == entry.Tag)
        {
            return Arrived(walk, entry, walk.Current);
        }

        var isOwn = walk.OwnSince == entry.Expected || walk.Current.Version == entry.Expected;
        var expected = isOwn || walk.Current.Version.IsNone ? walk.Current.Version : entry.Expected;
        var without = entry.Expected;
        walk.OwnSince = null;
        for (var tries = 1; !cancellationToken.IsCancellationRequested; tries++)
        {
            var asOf = time.GetTimestamp();
            var next = Next(walk.Current, expected, delta, entry, out var write);
            var result = await WriteAsync(key, write, delta, cancellationToken);
            switch (result.Kind)
            {
                case SessionWriteKind.Written:
                    walk.OwnSince = isOwn && tries == 1 ? entry.Expected : null;
                    (walk.Current, walk.Proven, walk.Step) = (next, next.Generation, JournalStep.Done);
                    return new(next, default) { Trip = time.GetElapsedTime(asOf) };
                case SessionWriteKind.Superseded:
                    return Arrived(walk, entry, SessionDecoder.Decode(result.Newer!, time, asOf));
                case SessionWriteKind.Conflict:
                    metrics.SaveConflict();
                    var stored = SessionDecoder.Decode(result.Newer!, time, asOf);
                    walk.IsLost |= SessionHistory.Of(stored, walk.Current) == SessionKinship.Earlier;
                    walk.Current = stored;
                    if (walk.Current.Generation > walk.Proven)
                    {
                        return Over(walk, JournalStep.Superseded, SessionEnding.Superseded);
                    }

                    if (IsForgotten(without, walk.Current.Version))
                    {
                        (walk.IsLost, walk.Step) = (true, JournalStep.Stale);
                        return new(walk.Current, default);
                    }

                    (expected, without, delta.WasBeaten) = (walk.Current.Version, walk.Current.Version, true);
                    await PauseAsync(tries, time.GetElapsedTime(asOf), cancellationToken);
                    break;
                case SessionWriteKind.Ended:
                    return Over(walk, JournalStep.Ended, SessionEnding.Abandoned);
                case SessionWriteKind.Absent:
                    walk.IsLost = true;
                    walk.Current = SessionSnapshot.Empty(time.GetUtcNow(), options.AbsoluteTimeout, walk.Proven);
                    expected = SessionVersion.None;
                    await PauseAsync(tries, time.GetElapsedTime(asOf), cancellationToken);
                    break;
                default:
                    throw new UnreachableException();
            }
        }

        throw Contention();
    }

    /// <summary>The store knows the tag. It may hold later entries and their sign-ins too, but not another visitor's.</summary>
    private static SessionSaveResult Arrived(JournalWalk walk, JournalEntry entry, SessionSnapshot stored)
    {
        if (stored.Generation > walk.Most)
        {
            return Over(walk, JournalStep.Superseded, SessionEnding.Superseded);
        }

        walk.OwnSince = null;
        (walk.Current, walk.Proven, walk.Step) = (stored, walk.Proven + (entry.RaisesGeneration ? 1 : 0), JournalStep.Done);
        return new(stored, default);
    }

    private static SessionSaveResult Over(JournalWalk walk, JournalStep step, SessionEnding ending)
    {
        walk.Step = step;
        return new(Saved: null, ending);
    }

    /// <summary>Whether a write on top of the older version may have arrived without the record knowing its tag any more.</summary>
    private static bool IsForgotten(SessionVersion older, SessionVersion newer) =>
        newer.Counter > older.Counter && newer.Counter - older.Counter > SessionWrite.RememberedWrites;

    private SessionSnapshot Next(SessionSnapshot current, SessionVersion expected, SessionDelta delta, JournalEntry? entry, out SessionWrite write)
    {
        var now = time.GetUtcNow();
        var items = delta.ApplyTo(current.Items);
        if (entry is null)
        {
            // What comes out of a journal was answered as kept, and looked at then.
            SessionCaps.ThrowIfTooMany(current.Items, items, options);
        }

        var renewed = delta.RaisesGeneration ? DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()) : current.Renewed;
        var generation = Math.Max(delta.GenerationFloor, current.Generation);
        generation = delta.RaisesGeneration ? checked(generation + 1) : generation;
        var payload = SessionCodec.Encode(current.Created, renewed, items, options.MaxBytes);
        var idleUntil = now + options.IdleTimeout;
        ReadOnlySpan<SessionVersion> versions = entry is null
            ? [current.Version.Next()]
            : [.. entry.Joined.Append(entry.Tag).Select((tag, i) => new SessionVersion(checked(expected.Counter + 1 + (ulong)i), tag))];
        var version = versions[^1];
        var next = new SessionSnapshot
        {
            Version = version,
            Generation = generation,
            Created = current.Created,
            Renewed = renewed,
            Items = items,
            IdleUntil = idleUntil < current.Expires ? idleUntil : current.Expires,
            Expires = current.Expires,
            Writes = SessionHistory.Append(current, versions),
        };
        // Given back to a store that has lost it, a session lives no longer than it would have.
        var absolute = current.Version.IsNone ? options.AbsoluteTimeout : current.Expires - now;
        write = new SessionWrite(expected, version, generation, payload, options.IdleTimeout, absolute > TimeSpan.Zero ? absolute : options.AbsoluteTimeout);
        write = entry is not null ? write with { Between = versions[..^1].ToArray() }
            : expected == current.Version ? write
            : write with { Between = SessionHistory.Between(expected, next.Writes, version) };
        return next;
    }

    private async ValueTask<SessionWriteResult> TryWriteAsync(
        SessionKey key, SessionSnapshot current, SessionSnapshot next, SessionWrite write, SessionDelta delta, CancellationToken cancellationToken)
    {
        try
        {
            return await WriteAsync(key, write, delta, cancellationToken);
        }
        catch (Exception e) when (e is SessionStoreException or OperationCanceledException)
        {
            delta.Tried = delta.IsForgotten ? null : new SessionTry(current, next.Version, next.Items);
            throw;
        }
    }

    /// <summary>Writes; after an unknown outcome the same write is given once more, and its tag tells whether the first try arrived.</summary>
    private async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, SessionDelta delta, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        try
        {
            return await store.WriteAsync(key, write, cancellationToken);
        }
        catch (SessionStoreException e) when (e.Fault == SessionStoreFault.Ambiguous && !IsLate(started))
        {
            SessionWriteResult result;
            try
            {
                result = await store.WriteAsync(key, write, cancellationToken);
            }
            catch (SessionStoreException again) when (again.Fault == SessionStoreFault.NotApplied)
            {
                throw new SessionStoreException(e.Fault, e.Message, e); // the second try was refused, but the first may have arrived
            }

            delta.IsForgotten = result.Kind == SessionWriteKind.Conflict && IsForgotten(write.Expected, result.Newer!.Version) && delta.HasUpdates;
            return delta.IsForgotten
                ? throw new SessionStoreException(SessionStoreFault.Ambiguous, "It cannot be told whether an update was saved: too many others wrote since.", e)
                : result;
        }
    }

    /// <summary>A store that was silent for so long would be as silent again. The journal asks it later, with the same tag.</summary>
    private bool IsLate(long started) => options.OnStoreAway == StoreAway.Journal && time.GetElapsedTime(started) >= options.StoreTimeout / 2;

    /// <summary>
    /// What a conflict has told is stale after any pause, so most tries follow at once. Every second lost race is followed by a random pause of up to two trips, so that nodes do not march in step.
    /// </summary>
    private Task PauseAsync(int tries, TimeSpan trip, CancellationToken cancellationToken) =>
        tries % 2 != 0 ? Task.CompletedTask : RestAsync(trip * 2 * Random.Shared.NextDouble(), cancellationToken);

    /// <summary>Ends early without an exception: whoever rests looks at the limit next.</summary>
    private async Task RestAsync(TimeSpan rest, CancellationToken cancellationToken)
    {
        var bounded = TimeSpan.FromTicks(Math.Clamp(rest.Ticks, ShortestRest.Ticks, LongestRest.Ticks));
        await Task.Delay(bounded, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private static SessionStoreException Contention() => new(SessionStoreFault.NotApplied, BeatenTooLong) { IsContention = true };
}
