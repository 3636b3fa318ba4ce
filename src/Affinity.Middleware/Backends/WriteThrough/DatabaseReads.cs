using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.WriteThrough;

/// <summary>
/// Reads that the cache could not answer: parallel ones of a session share one question to the database, and what it says goes into the cache before anybody is told. The database is asked for the version of the copy, so that
/// it sends nothing that the cache has.
/// </summary>
internal sealed class DatabaseReads(ISessionStore database, GuardedSessionCache cache, TimeSpan limit, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(SessionKey Key, SessionVersion Probe), Task<DatabaseAnswer>> _underWay = [];
    private readonly DatabaseWatch _watch = new(time, logger);

    /// <param name="key">Which session.</param>
    /// <param name="known">What the caller has.</param>
    /// <param name="held">What the cache has.</param>
    /// <param name="asOf">A timestamp from when the caller began.</param>
    /// <param name="cancellationToken">Ends the wait; the question goes on, for others may wait for it.</param>
    /// <exception cref="SessionStoreException">The database failed.</exception>
    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CachedSession held, long asOf, CancellationToken cancellationToken)
    {
        _watch.ThrowIfLeftAlone();
        return Complete(await AskAsync(key, known, held).WaitAsync(cancellationToken), known, held, asOf);
    }

    /// <summary>The same for a caller who can do without: null when the database is away, which is waited for half the time of a call at most, and not at all when it has just failed.</summary>
    public async ValueTask<SessionRead?> TryReadAsync(SessionKey key, SessionVersion known, CachedSession held, long asOf, CancellationToken cancellationToken)
    {
        var isAway = _watch.IsAway;
        if (!_watch.MayAsk())
        {
            return null;
        }

        var asking = AskAsync(key, known, held);
        try
        {
            return isAway ? null : Complete(await asking.WaitAsync(limit / 2, time, cancellationToken), known, held, asOf);
        }
        catch (TimeoutException)
        {
            _watch.Failed("no answer in time");
            return null;
        }
        catch (SessionStoreException e) when (e.Fault != SessionStoreFault.Unreadable)
        {
            return null;
        }
    }

    /// <summary>This node has changed the session: whoever asks from now on must not be told what was asked before.</summary>
    public void Forget(SessionKey key)
    {
        lock (_gate)
        {
            foreach (var question in _underWay.Keys.Where(question => question.Key == key).ToArray())
            {
                _underWay.Remove(question);
            }
        }
    }

    private Task<DatabaseAnswer> AskAsync(SessionKey key, SessionVersion known, CachedSession held)
    {
        var question = (key, held.Contains(known) ? held.Session!.Version : known);
        lock (_gate)
        {
            if (_underWay.TryGetValue(question, out var asking))
            {
                return asking;
            }

            asking = QuestionAsync(question, held);
            if (!asking.IsCompleted)
            {
                _underWay[question] = asking;
                _ = EndAsync(question, asking);
            }

            return asking;
        }
    }

    private async Task EndAsync((SessionKey Key, SessionVersion Probe) question, Task<DatabaseAnswer> asking)
    {
        // Also so that nobody who has left makes a failure an unobserved one.
        await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            if (_underWay.TryGetValue(question, out var latest) && ReferenceEquals(latest, asking))
            {
                _underWay.Remove(question);
            }
        }
    }

    private async Task<DatabaseAnswer> QuestionAsync((SessionKey Key, SessionVersion Probe) question, CachedSession held)
    {
        using var late = new CancellationTokenSource(limit, time);
        try
        {
            var answer = await ReadThroughAsync(question.Key, question.Probe, held, late.Token);
            _watch.Answered();
            return answer;
        }
        catch (OperationCanceledException e)
        {
            _watch.Failed("no answer in time");
            throw new SessionStoreException(SessionStoreFault.Ambiguous, "The database did not answer within the time limit.", e);
        }
        catch (SessionStoreException e) when (e.Fault != SessionStoreFault.Unreadable)
        {
            _watch.Failed(e.Message);
            throw;
        }
    }

    /// <summary>
    /// What the cache holds may be later than what the database answers: a read replica lags, or the primary has lost writes. Its primary tells which, and only what that says goes over what is held.
    /// </summary>
    private async Task<DatabaseAnswer> ReadThroughAsync(SessionKey key, SessionVersion probe, CachedSession held, CancellationToken cancellationToken)
    {
        var (moment, asOf) = (cache.Now, time.GetTimestamp());
        var read = await database.ReadAsync(key, probe, cancellationToken).AsTask().WaitAsync(cancellationToken);
        string? replaces = null;
        if (held.Session is { } copy && !(read.Session is { } found && CachedSession.IsContained(copy.Version, found)))
        {
            (moment, asOf) = (cache.Now, time.GetTimestamp());
            read = await database.ReadLatestAsync(key, probe, cancellationToken).AsTask().WaitAsync(cancellationToken);
            replaces = held.Mark;
        }

        moment -= read.Session is { Age: var age } ? (long)Math.Ceiling(age.TotalMilliseconds) : 0;
        await TellAsync(key, read, held, Math.Max(0, moment), replaces);
        return new DatabaseAnswer(read, asOf);
    }

    private ValueTask TellAsync(SessionKey key, SessionRead read, CachedSession held, long moment, string? replaces) => (read.Kind, read.Session) switch
    {
        (SessionReadKind.Found, { } session) => cache.TellAsync(key, (target, token) => target.FillAsync(key, session, moment, replaces, token)),
        (SessionReadKind.Unchanged, { } session) when held.Session?.Version == session.Version => cache.TellAsync(key, (target, token) => target.VouchAsync(key, session, moment, token)),

        // The caller has the payload, and the cache an older one.
        (SessionReadKind.Unchanged, { } session) when held.Session is not null => cache.TellAsync(key, (target, token) => target.DoubtAsync(key, session.Version, token)),
        (SessionReadKind.Absent or SessionReadKind.Ended, _) when held.Session is not null => cache.TellAsync(key, (target, token) => target.DropAsync(key, token)),
        _ => ValueTask.CompletedTask,
    };

    /// <summary>The answer as this caller needs it, with what the cache had sent it and with how long before this caller the database was asked.</summary>
    private SessionRead Complete(DatabaseAnswer answer, SessionVersion known, CachedSession held, long asOf)
    {
        if (answer.Read.Session is not { } session)
        {
            return answer.Read;
        }

        var earlier = asOf > answer.AsOf ? time.GetElapsedTime(answer.AsOf, asOf) : TimeSpan.Zero;
        session = session with { Age = session.Age + earlier };
        return session.Version == known ? new SessionRead(SessionReadKind.Unchanged, session with { Payload = ReadOnlyMemory<byte>.Empty, Writes = [] })
            : answer.Read.Kind == SessionReadKind.Found ? new SessionRead(SessionReadKind.Found, session)
            : new SessionRead(SessionReadKind.Found, session with { Payload = held.Session!.Payload, Writes = held.Session.Writes, Generation = held.Session.Generation });
    }

    private readonly record struct DatabaseAnswer(SessionRead Read, long AsOf);
}
