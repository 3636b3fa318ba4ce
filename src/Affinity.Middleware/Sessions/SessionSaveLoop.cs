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
}

/// <summary>
/// The one loop that saves: apply the delta to the snapshot, write if nobody was first, else apply it to the newer one and try again.
/// Parallel requests merge by it and none is lost; a session that was abandoned or renewed meanwhile is never brought back. What the store has lost and this node remembers is saved along.
/// </summary>
internal sealed class SessionSaveLoop(ISessionStore store, NearCache near, SessionsOptions options, TimeProvider time, AffinityMetrics metrics)
{
    // Saves of one session on one node queue up, so only nodes compete: dozens of lost races in a row mean that something is broken.
    private const int MaxTries = 64;

    private readonly CommitQueue _queue = new();

    /// <param name="id">The session.</param>
    /// <param name="start">What the request worked on; Version None to create.</param>
    /// <param name="delta">What it changes.</param>
    /// <exception cref="SessionStoreException">The store failed, or too many others wrote; it is not known to be saved.</exception>
    /// <exception cref="SessionTooLargeException">With this delta the session is larger than it may be.</exception>
    public async ValueTask<SessionSaveResult> SaveAsync(SessionId id, SessionSnapshot start, SessionDelta delta)
    {
        var key = near.TryFind(id, out var known) ? known.Key : SessionKey.Of(id);
        // Ten calls' time for all that wait in line and all tries; the visitor hanging up does not end it.
        using var limit = new CancellationTokenSource(options.StoreTimeout * 10, time);
        try
        {
            using var turn = await _queue.EnterAsync(key, limit.Token);
            var asOf = time.GetTimestamp();
            var result = await SaveInTurnAsync(id, key, start, turn.Latest, delta, limit.Token);
            turn.HandOver(result.Saved);
            Remember(id, key, result, asOf);
            return result;
        }
        catch (OperationCanceledException e) when (limit.IsCancellationRequested)
        {
            near.Doubt(key);
            throw new SessionStoreException(SessionStoreFault.Ambiguous, "The session could not be saved in time: the store is slow or too many requests write one session.", e);
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
        for (var tries = 1; tries <= MaxTries; tries++)
        {
            if (current.Generation != start.Generation)
            {
                return new(Saved: null, SessionEnding.Superseded);
            }

            var asOf = time.GetTimestamp();
            var next = Next(current, expected, delta, out var write);
            var result = await WriteAsync(key, write, delta, cancellationToken);
            switch (result.Kind)
            {
                case SessionWriteKind.Written:
                    return new(next, default) { Instead = instead };
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

                    await PauseAsync(tries, cancellationToken);
                    break;
                case SessionWriteKind.Ended:
                    return new(Saved: null, SessionEnding.Abandoned);
                case SessionWriteKind.Absent when Remembered(id, current) is { } remembered:
                    (current, expected) = (remembered, SessionVersion.None);
                    break;
                case SessionWriteKind.Absent:
                    return new(Saved: null, SessionEnding.Lost);
                default:
                    throw new UnreachableException();
            }
        }

        throw new SessionStoreException(SessionStoreFault.NotApplied, "The session was not saved: other nodes wrote it first, again and again.");
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

    private SessionSnapshot Next(SessionSnapshot current, SessionVersion expected, SessionDelta delta, out SessionWrite write)
    {
        var now = time.GetUtcNow();
        var items = delta.ApplyTo(current.Items);
        var renewed = delta.RaisesGeneration ? DateTimeOffset.FromUnixTimeMilliseconds(now.ToUnixTimeMilliseconds()) : current.Renewed;
        var generation = Math.Max(delta.GenerationFloor, current.Generation);
        generation = delta.RaisesGeneration ? checked(generation + 1) : generation;
        var payload = SessionCodec.Encode(current.Created, renewed, items, options.MaxBytes);
        var idleUntil = now + options.IdleTimeout;
        var version = current.Version.Next();
        var next = new SessionSnapshot
        {
            Version = version,
            Generation = generation,
            Created = current.Created,
            Renewed = renewed,
            Items = items,
            IdleUntil = idleUntil < current.Expires ? idleUntil : current.Expires,
            Expires = current.Expires,
            Writes = SessionHistory.Append(current, version),
        };
        // Given back to a store that has lost it, a session lives no longer than it would have.
        var absolute = current.Version.IsNone ? options.AbsoluteTimeout : current.Expires - now;
        write = new SessionWrite(expected, version, generation, payload, options.IdleTimeout, absolute > TimeSpan.Zero ? absolute : options.AbsoluteTimeout);
        write = expected == current.Version ? write : write with { Between = SessionHistory.Between(expected, next.Writes, version) };
        return next;
    }

    /// <summary>Writes; after an unknown outcome the same write is given once more, and its tag tells whether the first try arrived.</summary>
    private async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, SessionDelta delta, CancellationToken cancellationToken)
    {
        try
        {
            return await store.WriteAsync(key, write, cancellationToken);
        }
        catch (SessionStoreException e) when (e.Fault == SessionStoreFault.Ambiguous)
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

            var forgotten = result.Kind == SessionWriteKind.Conflict
                && result.Newer!.Version.Counter - write.Expected.Counter > SessionWrite.RememberedWrites;
            return forgotten && delta.HasUpdates
                ? throw new SessionStoreException(SessionStoreFault.Ambiguous, "It cannot be told whether an update was saved: too many others wrote since.", e)
                : result;
        }
    }

    /// <summary>The first retry is immediate, later ones wait a random time that grows to 30 ms, so that nodes do not march in step.</summary>
    private Task PauseAsync(int tries, CancellationToken cancellationToken) => tries == 1
        ? Task.CompletedTask
        : Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(1, Math.Min(tries * 2, 30) + 1)), time, cancellationToken);
}
