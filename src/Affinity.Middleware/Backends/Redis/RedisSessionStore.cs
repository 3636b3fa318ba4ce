using Affinity.Sessions;
using Affinity.Tickets;
using StackExchange.Redis;
using static Affinity.Backends.Redis.RedisSessionArguments;

namespace Affinity.Backends.Redis;

/// <summary>Sessions in Redis: one hash per session, one script over one key and one round trip per operation. Sets no time limit of its own beyond the token.</summary>
internal sealed class RedisSessionStore(RedisConnection connection, RedisOptions options, TimeProvider time) : ISessionStore
{
    private static readonly RedisScript Read = new(RedisSessionScripts.Read);
    private static readonly RedisScript ReadLatest = new(RedisSessionScripts.ReadLatest);
    private static readonly RedisScript Write = new(RedisSessionScripts.Write);
    private static readonly RedisScript Touch = new(RedisSessionScripts.Touch);
    private static readonly RedisScript Delete = new(RedisSessionScripts.Delete);
    private static readonly RedisScript Testify = new(RedisHistory.Testify);
    private static readonly RedisScript Replication = new(RedisReplication.Ask);

    private readonly string _channel = ChannelOf(options);

    /// <summary>Where endings and renewals are announced.</summary>
    public static string ChannelOf(RedisOptions options) => options.KeyPrefix + "stale";

    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(Read, key, known, cancellationToken);

    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(ReadLatest, key, known, cancellationToken);

    private async ValueTask<SessionRead> ReadAsync(RedisScript script, SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        var reply = await CallAsync(script, key, [Counter(known), Stamp(known)], cancellationToken);
        return reply.Kind switch
        {
            "found" => new SessionRead(SessionReadKind.Found, reply.Session),
            "unchanged" => new SessionRead(SessionReadKind.Unchanged, reply.Session),
            "ended" => SessionRead.Ended,
            "absent" => SessionRead.Absent,
            _ => throw Unreadable(),
        };
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        SessionWrite.ThrowIfInvalid(write);
        RedisValue[] arguments =
        [
            Counter(write.Expected), Stamp(write.Expected), Counter(write.Next), Stamp(write.Next), write.Generation,
            RedisCalls.ToMilliseconds(write.Idle), RedisCalls.ToMilliseconds(write.Absolute), ToArray(write.Payload), SessionWrite.RememberedWrites, _channel, Between(write),
        ];
        var reply = await CallAsync(Write, key, arguments, cancellationToken);
        return reply.Kind switch
        {
            "written" => new SessionWriteResult(SessionWriteKind.Written, Newer: null),
            "superseded" => new SessionWriteResult(SessionWriteKind.Superseded, reply.Session),
            "conflict" => new SessionWriteResult(SessionWriteKind.Conflict, reply.Session),
            "ended" => new SessionWriteResult(SessionWriteKind.Ended, Newer: null),
            "absent" => new SessionWriteResult(SessionWriteKind.Absent, Newer: null),
            _ => throw Unreadable(),
        };
    }

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(idle, TimeSpan.Zero);
        var reply = await CallAsync(Touch, key, [RedisCalls.ToMilliseconds(idle)], cancellationToken);
        return reply.Kind switch
        {
            "touched" => true,
            "ended" or "absent" => false,
            _ => throw Unreadable(),
        };
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(remember, TimeSpan.Zero);
        var reply = await CallAsync(Delete, key, [RedisCalls.ToMilliseconds(remember), _channel], cancellationToken);
        if (reply.Kind is not "deleted")
        {
            throw Unreadable();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<string?> TestifyAsync(CancellationToken cancellationToken)
    {
        try
        {
            return connection.History.Describe((await Testify.EvaluateAsync(connection, options.KeyPrefix + "nodes", [], cancellationToken)).Span);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionStoreException(RedisFaults.Classify(exception), connection.Explain(exception), exception);
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var wanted = await AskAsync();
            for (var now = wanted; now.FollowsFrom(wanted); now = await AskAsync())
            {
                if (now.Replicated >= wanted.Written)
                {
                    return true;
                }

                await Task.Delay(RedisReplication.Interval, time, cancellationToken);
            }

            return false;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionStoreException(RedisFaults.Classify(exception), connection.Explain(exception), exception);
        }

        async Task<RedisReplication> AskAsync() => RedisReplication.Parse((await Replication.EvaluateAsync(connection, options.KeyPrefix + "nodes", [], cancellationToken)).Span);
    }

    private async Task<RedisSessionReply> CallAsync(RedisScript script, SessionKey key, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var name = string.Concat(options.KeyPrefix, "s:", key.Value);
        try
        {
            return RedisSessionReply.Parse((await script.EvaluateAsync(connection, name, arguments, cancellationToken)).Span);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionStoreException(RedisFaults.Classify(exception), connection.Explain(exception), exception);
        }
    }

    private static string Between(SessionWrite write) => write.Between.Count == 0 ? "" : string.Concat(write.Between.Select(Tag));

    private static SessionStoreException Unreadable() =>
        new(SessionStoreFault.Unreadable, "The record in Redis is damaged or was written by a newer version.");
}
