using System.Security.Cryptography;
using System.Text;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.Distributed;

/// <summary>
/// Sessions in whatever <see cref="IDistributedCache"/> the app has. A cache cannot compare and set in one step, so this keeps less than <see cref="ISessionStore"/> asks for: a write reads, compares, sets, and reads back what became of it.
/// Whoever was overwritten in between learns of it there, or its visitor does with the next request, whose ticket names a version that the record did not come of. <c>WeakSessionStoreConformance</c> in the test kit is what holds, docs/distributed-cache.md what does not.
/// </summary>
/// <remarks>
/// <para>An ending is an entry of its own, which no write touches: an ended session stays ended, whatever a slow writer overwrites.</para>
/// <para>Of time: the absolute limit stands in the record and is compared with the clock of the node that asks. The idle limit is the cache's sliding expiration, which every read starts anew too, and nothing here can shorten.</para>
/// </remarks>
internal sealed class DistributedSessionStore(IDistributedCache cache, string application, TimeProvider time, ILogger<DistributedSessionStore> logger) : ISessionStore
{
    private const int LongestNameInKey = 64;

    private readonly DistributedCacheCalls _cache = new(cache);
    private readonly string _prefix = PrefixOf(application);

    private enum Look
    {
        Absent,
        Live,
        Ended,
    }

    /// <summary>Whether the cache ends with the process.</summary>
    public bool IsInProcess => cache is MemoryDistributedCache;

    /// <summary>What the keys of an application begin with. A name that some cache might not take as a key stands in it as a hash.</summary>
    public static string PrefixOf(string application)
    {
        var isPlain = application.Length is > 0 and <= LongestNameInKey && application.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');
        return $"affinity:{(isPlain ? application : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(application)).AsSpan(..8)))}:s:";
    }

    public async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        var name = _prefix + key.Value;
        var (look, record) = await LookAsync(name, SessionStoreFault.Ambiguous, cancellationToken);
        if (look == Look.Absent && await _cache.GetAsync(EndingOf(name), SessionStoreFault.Ambiguous, cancellationToken) is not null)
        {
            look = Look.Ended; // it was ended between the two answers
        }

        var now = time.GetUtcNow();
        return look switch
        {
            Look.Ended => SessionRead.Ended,
            Look.Live when record!.Version == known => new SessionRead(SessionReadKind.Unchanged, record.ToStored(now, withPayload: false)),
            Look.Live => new SessionRead(SessionReadKind.Found, record!.ToStored(now, withPayload: true)),
            _ => SessionRead.Absent,
        };
    }

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        SessionWrite.ThrowIfInvalid(write);
        var name = _prefix + key.Value;
        var (look, found) = await LookAsync(name, SessionStoreFault.NotApplied, cancellationToken);
        var now = time.GetUtcNow();
        DistributedSessionRecord next;
        switch (look)
        {
            case Look.Ended:
                return new(SessionWriteKind.Ended, Newer: null);
            case Look.Absent when write.Expected.IsNone:
                next = DistributedSessionRecord.Create(write, now);
                break;
            case Look.Absent:
                return new(SessionWriteKind.Absent, Newer: null);
            case Look.Live when found!.Version == write.Next:
                return new(SessionWriteKind.Written, Newer: null);
            case Look.Live when found!.Version == write.Expected:
                next = found.Update(write);
                break;
            default:
                return Refused(found!, write, now);
        }

        await _cache.SetAsync(name, next.Write(), next.Idle, next.Ends - now, cancellationToken);
        return await ConfirmAsync(name, write, cancellationToken);
    }

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(idle, TimeSpan.Zero);
        var name = _prefix + key.Value;
        if (await LookAsync(name, SessionStoreFault.NotApplied, cancellationToken) is not (Look.Live, _))
        {
            return false;
        }

        // Never by a set: it would put this record over whatever somebody writes at this moment.
        await _cache.RefreshAsync(name, cancellationToken);
        return true;
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(remember, TimeSpan.Zero);
        var name = _prefix + key.Value;
        remember = DistributedSessionRecord.Bounded(remember);
        var until = time.GetUtcNow() + remember;
        var ending = await _cache.GetAsync(EndingOf(name), SessionStoreFault.NotApplied, cancellationToken);
        if (ending is null || DistributedEnding.Until(ending) < until)
        {
            await _cache.SetAsync(EndingOf(name), DistributedEnding.Write(until), idle: null, remember, cancellationToken);
            if (await _cache.GetAsync(EndingOf(name), SessionStoreFault.Ambiguous, cancellationToken) is null)
            {
                throw NotKept();
            }
        }

        await _cache.RemoveAsync(name, cancellationToken);
    }

    /// <summary>A cache tells nobody where its entries lie.</summary>
    public ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken) => ValueTask.FromResult(false);

    /// <summary>What has become of the record that was set: it, another writer's on top of it or in its place, an ending, or nothing.</summary>
    private async ValueTask<SessionWriteResult> ConfirmAsync(string name, SessionWrite write, CancellationToken cancellationToken)
    {
        var (look, record) = await LookAsync(name, SessionStoreFault.Ambiguous, cancellationToken);
        switch (look)
        {
            case Look.Ended:
                await _cache.RemoveAsync(name, cancellationToken);
                return new(SessionWriteKind.Ended, Newer: null);
            case Look.Absent:
                throw NotKept();
            case Look.Live when record!.Version == write.Next:
                return new(SessionWriteKind.Written, Newer: null);
            case Look.Live when record!.Version == write.Expected:
                // A copy that lags behind. To take it for another writer's would apply the change twice.
                throw new SessionStoreException(SessionStoreFault.Ambiguous, "The distributed cache answered with an older copy of what had just been written.");
            default:
                var refused = Refused(record!, write, time.GetUtcNow());
                if (refused.Kind == SessionWriteKind.Conflict && logger.IsEnabled(LogLevel.Debug))
                {
                    logger.DistributedWriteOverwritten(write.Next.ToString(), record!.Version.ToString());
                }

                return refused;
        }
    }

    private static SessionWriteResult Refused(DistributedSessionRecord record, SessionWrite write, DateTimeOffset now) =>
        new(record.Knows(write.Next) ? SessionWriteKind.Superseded : SessionWriteKind.Conflict, record.ToStored(now, withPayload: true));

    /// <summary>Record and ending, asked for at once.</summary>
    private async ValueTask<(Look Look, DistributedSessionRecord? Record)> LookAsync(string name, SessionStoreFault fault, CancellationToken cancellationToken)
    {
        var asked = await Task.WhenAll(_cache.GetAsync(name, fault, cancellationToken), _cache.GetAsync(EndingOf(name), fault, cancellationToken));
        if (asked[1] is not null)
        {
            return (Look.Ended, null);
        }

        if (asked[0] is not { } bytes)
        {
            return (Look.Absent, null);
        }

        var record = DistributedSessionRecord.Read(bytes) ?? throw new SessionStoreException(
            SessionStoreFault.Unreadable, "The record in the distributed cache is damaged or was written by a newer version.");
        return record.Ends > time.GetUtcNow() ? (Look.Live, record) : (Look.Absent, null);
    }

    private static string EndingOf(string name) => name + ":e";

    private static SessionStoreException NotKept() =>
        new(SessionStoreFault.Ambiguous, "The distributed cache did not keep what had just been written: it is full, evicts at once, or answers from a copy that lags behind.");
}
