using Affinity.Tickets;

namespace Affinity.Sessions;

/// <summary>
/// Where sessions lie that every node shares. These comments are its specification and <c>SessionStoreConformance</c> in the test kit is the
/// executable form of it; a backend is right when it passes. All members may be called concurrently, for one session too, and from any node.
/// </summary>
/// <remarks>
/// <para>A record is (version, generation, payload) under a key, with two limits that only the store's own clock decides: an <em>idle</em> limit, which
/// every write and touch starts anew, and an <em>absolute</em> limit, set when the record is created and never moved. Whichever comes first ends it;
/// at the limit it is gone. Durations cross this interface, points in time never do.</para>
/// <para>The payload is opaque. A write replaces it whole. Writes of one key are linear: each is one atomic step of check and write.</para>
/// <para>Every fault is a <see cref="SessionStoreException"/> whose <see cref="SessionStoreException.Fault"/> says whether the call may have taken effect. A wrong argument
/// is an <see cref="ArgumentException"/> before anything is sent. The token ends a call at once, as a time-out does; the call may still take effect afterwards.</para>
/// </remarks>
public interface ISessionStore
{
    /// <summary>
    /// Reads a record without changing it or its limits.
    /// </summary>
    /// <param name="key">Which one.</param>
    /// <param name="known">
    /// A version of which the caller has the payload already, or <see cref="SessionVersion.None"/>. When the record is still exactly that, the answer is
    /// <see cref="SessionReadKind.Unchanged"/> and carries no payload.
    /// </param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Found or Unchanged with the record; Ended for a deleted session whose deletion is still remembered; Absent for all else that is not there.</returns>
    ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken);

    /// <summary>
    /// The same from whoever may change the record at this moment, and from nobody else: a copy that may lag behind refuses (<see cref="SessionStoreFault.NotApplied"/>) instead of answering. Asked before anything is
    /// told to be lost. As it stands here it is <see cref="ReadAsync"/>, which is right for a store that never answers from a copy.
    /// </summary>
    /// <param name="key">Which one.</param>
    /// <param name="known">As above.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(key, known, cancellationToken);

    /// <summary>
    /// The same for whoever knows a version that the session has had: the answer may come from a copy that lags behind, if that shows a record which is not older, or the ending. What is older there, or not there, is asked of whoever may change
    /// the record. How far behind the copy may have been is told by <see cref="StoredSession.Age"/>. As it stands here it is <see cref="ReadAsync"/>, which never answers less than this may.
    /// </summary>
    /// <param name="key">Which one.</param>
    /// <param name="known">As above.</param>
    /// <param name="atLeast">What the visitor has seen; not None.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken) => ReadAsync(key, known, cancellationToken);

    /// <summary>
    /// Writes a record if it is what the caller believes it to be.
    /// </summary>
    /// <remarks>
    /// <see cref="SessionWrite.Expected"/> = None creates and never updates; any other creates nothing. A store that has lost writes is given them back in the same way: then
    /// <see cref="SessionWrite.Next"/> is more than one ahead of what is expected. The same write given twice (same <see cref="SessionWrite.Next"/>) takes
    /// effect once: the second answers <see cref="SessionWriteKind.Written"/>, or <see cref="SessionWriteKind.Superseded"/> when others have written on top, as long as it is among
    /// the record's last <see cref="SessionWrite.RememberedWrites"/> writes, the newest included. So a write whose outcome is unknown is simply given again.
    /// A write is known by its stamp alone: given again on top of a version that is not the record's, with whatever counter that leads to, it is recognised all the same and answers Superseded.
    /// </remarks>
    ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken);

    /// <summary>Starts the idle limit anew, up to the absolute limit; version and payload stay. False when there is no such session (any more).</summary>
    /// <param name="key">Which one.</param>
    /// <param name="idle">The new idle limit from now; greater than zero.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken);

    /// <summary>
    /// Ends a session, whether or not it is there, and remembers the ending: until <paramref name="remember"/> has passed reads answer Ended and every write, creation too, is refused.
    /// Deleting twice is fine; the longer memory counts.
    /// </summary>
    /// <param name="key">Which one.</param>
    /// <param name="remember">How long tickets of the session may still turn up; greater than zero.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken);

    /// <summary>What the store can say for itself when it has lost something, for people who read a log: which server it is now and was before, what it has evicted. Null: nothing, as it stands here.</summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<string?> TestifyAsync(CancellationToken cancellationToken) => ValueTask.FromResult<string?>(null);

    /// <summary>
    /// Waits until everything that was acknowledged before the call lies on one more server at least, so that the loss of one loses none of it. False: it did not come to that within the time, or there is no such server, or nobody can
    /// say. As it stands here it is true, which is right for a store that acknowledges nothing earlier.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
