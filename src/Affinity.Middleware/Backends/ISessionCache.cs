using Affinity.Sessions;
using Affinity.Tickets;

namespace Affinity.Backends;

/// <summary>
/// Copies of sessions in front of the database that decides about them. A cache may forget anything at any time and may be told late or never; what it says is bounded by <see cref="CachedSession.Age"/>, and the session's writes
/// tell which of two copies comes later. All members may be called concurrently and from any node.
/// </summary>
/// <remarks>
/// A <em>moment</em> is a point on the cache's own clock that the caller took, by <see cref="Now"/>, before it asked the database: what the answer says was so then or later. A cache that gets a copy late, as after it was frozen,
/// thus takes it for as old as it is. 0: not known; such a copy never answers by itself.
/// Every fault is a <see cref="SessionCacheException"/>.
/// </remarks>
internal interface ISessionCache
{
    /// <summary>A moment that the cache's clock has reached for sure, without asking; 0 before its first answer.</summary>
    long Now { get; }

    /// <summary>What is held of a session; without payload if it is the version that the caller knows.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="known">A version of which the caller has the payload, or None.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<CachedSession> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken);

    /// <summary>
    /// Puts there what the database answered. Nothing goes over an ending, and no version over one that came of it: what is held stays. Of two that came of different histories neither stays, as the database has lost one of them and it
    /// takes another question to know which.
    /// </summary>
    /// <param name="key">Which one.</param>
    /// <param name="session">What the database answered.</param>
    /// <param name="asOf">The moment before it was asked.</param>
    /// <param name="replaces">
    /// <see cref="CachedSession.Mark"/> of what was held when the database's primary was asked, and which it did not confirm: this is replaced, if it is still just that, by an older version too, as the database has lost the newer one.
    /// Null: nothing is.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask FillAsync(SessionKey key, StoredSession session, long asOf, string? replaces, CancellationToken cancellationToken);

    /// <summary>The database has taken a write: the copy that it stood on becomes what was written. Where that is not held, a floor is put instead of any older copy, so that no slower reader puts one back.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="write">What was written.</param>
    /// <param name="asOf">The moment before it was.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask AdvanceAsync(SessionKey key, SessionWrite write, long asOf, CancellationToken cancellationToken);

    /// <summary>The database may hold this version: from now on no older copy answers by itself, of which the database has not been asked since; where none is held, a floor is put.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="version">The version.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask DoubtAsync(SessionKey key, SessionVersion version, CancellationToken cancellationToken);

    /// <summary>The database still holds this version: the copy of it is as young as the moment, and lives as long as is said here.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="session">Version and limits; no payload.</param>
    /// <param name="asOf">The moment before the database was asked.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask VouchAsync(SessionKey key, StoredSession session, long asOf, CancellationToken cancellationToken);

    /// <summary>Starts the idle limit of a copy anew, up to its absolute limit.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="idle">The limit from now.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken);

    /// <summary>The session has ended: remembered for as long as is said, from the moment on.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="remember">For how long.</param>
    /// <param name="asOf">The moment before the database was told.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask EndAsync(SessionKey key, TimeSpan remember, long asOf, CancellationToken cancellationToken);

    /// <summary>The database holds no such session: neither does the cache from now on. An ending stays.</summary>
    /// <param name="key">Which one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask DropAsync(SessionKey key, CancellationToken cancellationToken);
}

/// <summary>What a cache holds under a key.</summary>
internal enum CachedSessionKind
{
    /// <summary>Nothing, or nothing that can be read.</summary>
    Absent,

    /// <summary>The session was ended.</summary>
    Ended,

    /// <summary>No copy, and the version that the next one must have at least.</summary>
    Floor,

    /// <summary>A copy.</summary>
    Copy,
}

/// <summary>The answer of <see cref="ISessionCache.ReadAsync"/>.</summary>
/// <param name="Kind">What is held.</param>
/// <param name="Session">The copy, or of a floor its version alone; else null.</param>
/// <param name="Mark">Names this state of what is held; empty where nothing is.</param>
/// <param name="Age">How long ago, at most, the database still said so; <see cref="TimeSpan.MaxValue"/>: nobody knows.</param>
internal readonly record struct CachedSession(CachedSessionKind Kind, StoredSession? Session, string Mark, TimeSpan Age)
{
    public static CachedSession Absent => new(CachedSessionKind.Absent, Session: null, "", TimeSpan.MaxValue);

    public static CachedSession Ended => new(CachedSessionKind.Ended, Session: null, "", TimeSpan.Zero);

    /// <summary>Whether this is a copy that contains what a version stands for, as far as it remembers its writes.</summary>
    public bool Contains(SessionVersion version) => Kind == CachedSessionKind.Copy && IsContained(version, Session!);

    /// <summary>Whether a record came of a version. Writes that are too old to be remembered count as contained.</summary>
    public static bool IsContained(SessionVersion version, StoredSession session)
    {
        if (version.IsNone || session.Version == version)
        {
            return true;
        }

        foreach (var write in session.Writes)
        {
            if (write.Counter == version.Counter)
            {
                return write == version;
            }
        }

        return session.Version.Counter > version.Counter;
    }
}
