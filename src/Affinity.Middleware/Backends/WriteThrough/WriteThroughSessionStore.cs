using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.WriteThrough;

/// <summary>
/// A database that decides, and a cache in front of it that spares it reads. Every change goes to the database first and is told to the cache then; a read asks the cache first. Without the cache everything goes on, with a trip to the
/// database per read; without the database whoever is in the cache is read, and a change fails as with any store, for the session stage to keep.
/// </summary>
/// <remarks>
/// How old an answer can be although the cache was never told of a change (it was frozen, cut off, or lost its data): a copy answers by itself only if the database said so within <see cref="WriteThroughOptions.MaxAge"/>, which is that of
/// the near cache, and every answer tells its age, which the near cache takes for its own. So a session that was ended is not served from either for longer than that, both together. What the visitor has been answered is served whatever
/// was lost: a copy that does not contain the caller's known version is passed by, and one that does not contain the ticket's is found out by the session stage, which then asks <see cref="ReadLatestAsync"/>, and that is the database.
/// In an outage of the database copies are read whatever their age, as the near cache is.
/// </remarks>
internal sealed class WriteThroughSessionStore : ISessionStore
{
    private readonly ISessionStore _database;
    private readonly GuardedSessionCache _cache;
    private readonly DatabaseReads _reads;
    private readonly WriteThroughOptions _options;
    private readonly TimeProvider _time;
    private readonly AffinityMetrics _metrics;

    public WriteThroughSessionStore(
        ISessionStore database, ISessionCache cache, WriteThroughOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<WriteThroughSessionStore> logger)
    {
        (_database, _options, _time, _metrics) = (database, options, time, metrics);
        _cache = new GuardedSessionCache(cache, options.CacheTimeout, time, logger);
        _reads = new DatabaseReads(database, _cache, options.StoreTimeout, time, logger);
    }

    /// <inheritdoc/>
    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        _ = key.Value; // a key that was never set must not pass for one, whoever would answer
        var asOf = _time.GetTimestamp();
        var held = await _cache.ReadAsync(key, known, cancellationToken);
        if (held.Kind == CachedSessionKind.Ended)
        {
            _metrics.CacheRead("cache");
            return SessionRead.Ended;
        }

        var isCopy = held.Contains(known);
        if (isCopy && held.Age < _options.MaxAge)
        {
            _metrics.CacheRead("cache");
            return Answer(held, known);
        }

        if (!isCopy || !_options.ServesInOutage)
        {
            var read = await _reads.ReadAsync(key, known, held, asOf, cancellationToken);
            _metrics.CacheRead("database");
            return read;
        }

        if (await _reads.TryReadAsync(key, known, held, asOf, cancellationToken) is { } confirmed)
        {
            _metrics.CacheRead("database");
            return confirmed;
        }

        _metrics.CacheRead("outage");
        return Answer(held, known);
    }

    /// <inheritdoc/>
    /// <remarks>A copy that is older is no answer: the cache was not told of a change.</remarks>
    public async ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken)
    {
        var read = await ReadAsync(key, known, cancellationToken);
        return read.Session is { } found && found.Version.Counter < atLeast.Counter ? await ReadLatestAsync(key, known, cancellationToken) : read;
    }

    /// <inheritdoc/>
    public async ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        var moment = _cache.Now;
        var read = await _database.ReadLatestAsync(key, known, cancellationToken);
        await (read.Kind switch
        {
            SessionReadKind.Found => _cache.TellAsync(key, (cache, token) => cache.FillAsync(key, read.Session!, moment, replaces: null, token)),
            SessionReadKind.Unchanged => _cache.TellAsync(key, (cache, token) => cache.VouchAsync(key, read.Session!, moment, token)),
            _ => _cache.TellAsync(key, (cache, token) => cache.DropAsync(key, token)),
        });
        return read;
    }

    /// <inheritdoc/>
    /// <remarks>When it may have been written and nobody knows, no older copy answers until the database has been asked.</remarks>
    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var moment = _cache.Now;
        SessionWriteResult result;
        try
        {
            result = await _database.WriteAsync(key, write, cancellationToken);
        }
        catch (Exception e) when (IsAmbiguous(e))
        {
            _reads.Forget(key);
            await _cache.TellAsync(key, (cache, token) => cache.DoubtAsync(key, write.Next, token));
            throw;
        }

        _reads.Forget(key);
        switch (result.Kind)
        {
            case SessionWriteKind.Written:
                await _cache.TellAsync(key, (cache, token) => cache.AdvanceAsync(key, write, moment, token));
                break;
            case SessionWriteKind.Ended or SessionWriteKind.Absent:
                await _cache.TellAsync(key, (cache, token) => cache.DropAsync(key, token));
                break;
        }

        return result;
    }

    /// <inheritdoc/>
    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        var isThere = await _database.TouchAsync(key, idle, cancellationToken);
        await _cache.TellAsync(key, (cache, token) => isThere ? cache.TouchAsync(key, idle, token) : cache.DropAsync(key, token));
        return isThere;
    }

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var moment = _cache.Now;
        try
        {
            await _database.DeleteAsync(key, remember, cancellationToken);
        }
        catch (Exception e) when (IsAmbiguous(e))
        {
            _reads.Forget(key);
            await _cache.TellAsync(key, (cache, token) => cache.DropAsync(key, token));
            throw;
        }

        _reads.Forget(key);
        await _cache.TellAsync(key, (cache, token) => cache.EndAsync(key, remember, moment, token));
    }

    /// <inheritdoc/>
    public ValueTask<string?> TestifyAsync(CancellationToken cancellationToken) => _database.TestifyAsync(cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken) => _database.IsReplicatedAsync(cancellationToken);

    private SessionRead Answer(CachedSession held, SessionVersion known)
    {
        var session = held.Session! with { Age = held.Age == TimeSpan.MaxValue ? _options.MaxAge : held.Age };
        return session.Version == known
            ? new SessionRead(SessionReadKind.Unchanged, session with { Payload = ReadOnlyMemory<byte>.Empty, Writes = [] })
            : new SessionRead(SessionReadKind.Found, session);
    }

    private static bool IsAmbiguous(Exception exception) => exception is SessionStoreException { Fault: SessionStoreFault.Ambiguous } or OperationCanceledException;
}
