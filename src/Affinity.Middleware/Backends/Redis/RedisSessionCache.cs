using System.Globalization;
using Affinity.Sessions;
using Affinity.Tickets;
using StackExchange.Redis;
using static Affinity.Backends.Redis.RedisSessionArguments;

namespace Affinity.Backends.Redis;

/// <summary>Redis as the cache in front of a database: one hash per session, one script over one key and one round trip per operation. Sets no time limit of its own beyond the token. Shares no key with <see cref="RedisSessionStore"/>.</summary>
internal sealed class RedisSessionCache(RedisConnection connection, RedisOptions options, TimeProvider time) : ISessionCache
{
    // Within it whoever asked the database before the floor was put has filled the cache, or what it brings is too old to answer.
    private static readonly TimeSpan FloorIsHeld = TimeSpan.FromMinutes(1);

    private static readonly RedisScript Read = new(RedisCacheScripts.Read);
    private static readonly RedisScript Fill = new(RedisCacheScripts.Fill);
    private static readonly RedisScript Advance = new(RedisCacheScripts.Advance);
    private static readonly RedisScript Vouch = new(RedisCacheScripts.Vouch);
    private static readonly RedisScript Touch = new(RedisCacheScripts.Touch);
    private static readonly RedisScript End = new(RedisCacheScripts.End);
    private static readonly RedisScript Drop = new(RedisCacheScripts.Drop);

    private readonly RedisCacheClock _clock = new(time);

    public long Now => _clock.Now;

    public async ValueTask<CachedSession> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) =>
        RedisCacheReply.Parse(await CallAsync(Read, key, [Counter(known), Stamp(known)], cancellationToken));

    public async ValueTask FillAsync(SessionKey key, StoredSession session, long asOf, string? replaces, CancellationToken cancellationToken) =>
        await CallAsync(
            Fill,
            key,
            [
                Counter(session.Version), Stamp(session.Version), session.Generation, ToArray(session.Payload), RedisCalls.ToMilliseconds(session.Remaining), RedisCalls.ToMilliseconds(session.AbsoluteRemaining),
                Writes(session), asOf, replaces ?? "", NewName(),
            ],
            cancellationToken);

    public async ValueTask AdvanceAsync(SessionKey key, SessionWrite write, long asOf, CancellationToken cancellationToken) =>
        await AdvanceAsync(key, write, asOf, isWritten: true, cancellationToken);

    public async ValueTask DoubtAsync(SessionKey key, SessionVersion version, CancellationToken cancellationToken) =>
        await AdvanceAsync(key, new SessionWrite(SessionVersion.None, version, 0, ReadOnlyMemory<byte>.Empty, FloorIsHeld, FloorIsHeld), asOf: 0, isWritten: false, cancellationToken);

    public async ValueTask VouchAsync(SessionKey key, StoredSession session, long asOf, CancellationToken cancellationToken) =>
        await CallAsync(
            Vouch,
            key,
            [Counter(session.Version), Stamp(session.Version), RedisCalls.ToMilliseconds(session.Remaining), RedisCalls.ToMilliseconds(session.AbsoluteRemaining), asOf],
            cancellationToken);

    public async ValueTask TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => await CallAsync(Touch, key, [RedisCalls.ToMilliseconds(idle)], cancellationToken);

    public async ValueTask EndAsync(SessionKey key, TimeSpan remember, long asOf, CancellationToken cancellationToken) =>
        await CallAsync(End, key, [RedisCalls.ToMilliseconds(remember), asOf], cancellationToken);

    public async ValueTask DropAsync(SessionKey key, CancellationToken cancellationToken) => await CallAsync(Drop, key, [], cancellationToken);

    private Task<ReadOnlyMemory<RedisValue>> AdvanceAsync(SessionKey key, SessionWrite write, long asOf, bool isWritten, CancellationToken cancellationToken) => CallAsync(
        Advance,
        key,
        [
            Counter(write.Expected), Stamp(write.Expected), Counter(write.Next), Stamp(write.Next), write.Generation, ToArray(write.Payload), RedisCalls.ToMilliseconds(write.Idle), RedisCalls.ToMilliseconds(write.Absolute),
            string.Concat(write.Between.Select(Tag)), SessionWrite.RememberedWrites, asOf, RedisCalls.ToMilliseconds(FloorIsHeld), NewName(), isWritten ? 1 : 0,
        ],
        cancellationToken);

    private async Task<ReadOnlyMemory<RedisValue>> CallAsync(RedisScript script, SessionKey key, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var name = string.Concat(options.KeyPrefix, "c:", key.Value);
        try
        {
            var answer = await script.EvaluateAsync(connection, name, arguments, cancellationToken);
            _clock.Note(RedisCacheReply.ParseTime(answer.Span));
            return answer;
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionCacheException(connection.Explain(exception), exception is not (RedisServerException or RedisReplyException), exception);
        }
    }

    private static string Writes(StoredSession session) =>
        session.Writes.Count == 0 ? $",{Tag(session.Version)}" : string.Concat(session.Writes.TakeLast(SessionWrite.RememberedWrites).Select(Tag).Prepend(","));

    private static string NewName() => Random.Shared.NextInt64().ToString("x16", CultureInfo.InvariantCulture);
}
