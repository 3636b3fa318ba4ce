using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>What a ticket led to.</summary>
internal enum SessionLoadKind
{
    /// <summary>The session, as new as the ticket says or newer.</summary>
    Found,

    /// <summary>The session, but older than what the visitor has seen: the store lost writes.</summary>
    Behind,

    /// <summary>The session, but of a history that did not come of what the visitor has seen: the store lost writes, and others have been made in their place.</summary>
    Diverged,

    /// <summary>Nothing: it expired.</summary>
    Absent,

    /// <summary>It was abandoned.</summary>
    Ended,

    /// <summary>Nothing, although it should still be there: the store lost it.</summary>
    Lost,

    /// <summary>The session was renewed at sign-in after the ticket was issued, a short time ago: the browser has a newer ticket, which must not be overwritten.</summary>
    JustSuperseded,

    /// <summary>The session was renewed at sign-in after the ticket was issued: the ticket opens nothing any more.</summary>
    Superseded,
}

/// <summary>What a ticket led to, with the session where there is one.</summary>
internal readonly record struct SessionLoadResult(SessionLoadKind Kind, SessionSnapshot? Snapshot)
{
    /// <summary>Whether it is known without the store: this node remembered it, or the ticket carries it. Else the store has said so.</summary>
    public bool IsNear { get; init; }

    /// <summary>Whether the session itself was in the ticket.</summary>
    public bool IsInTicket { get; init; }

    /// <summary>Whether the store has lost what the visitor was answered.</summary>
    public bool IsLoss => Kind is SessionLoadKind.Lost or SessionLoadKind.Behind or SessionLoadKind.Diverged;
}

/// <summary>Whom a node has asked whether they remember a session.</summary>
/// <param name="Heard">How many have heard it; null: a Redis Cluster does not say.</param>
/// <param name="All">How many live beside this one, as far as it knows.</param>
internal readonly record struct AskedNodes(int? Heard, int All)
{
    public override string ToString() => Heard is { } heard ? $"{heard} of {All} were asked" : $"all {All} were asked, and it is not known how many heard it";
}

/// <summary>How many nodes live beside this one, as far as it knows.</summary>
internal sealed record OtherNodes(Func<int> Count);

/// <summary>Finds the session that a ticket names, in this node's memory or in the store, and compares it with what the ticket says of it.</summary>
internal sealed class SessionLoader(
    ISessionStore store, NearCache near, SessionHealer healer, SessionLosses losses, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<SessionLoader> logger,
    ISessionAnnouncements? nodes = null, OtherNodes? others = null) : IDisposable
{
    // So many visitors at once wait whether another node remembers their session.
    private const int MaxAsking = 200;

    /// <summary>For this long after a sign-in an older ticket may still be under way in parallel requests of the same browser.</summary>
    public static readonly TimeSpan StaleTicketGrace = TimeSpan.FromSeconds(30);

    // Whoever is asked answers within a few milliseconds, a busy node or a slow store later; the last pause is repeated.
    private static readonly TimeSpan[] Looks = [.. new[] { 10, 20, 40, 80, 150 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds))];

    private readonly Dictionary<SessionId, Task<SessionAnswer>> _underWay = [];
    private readonly Dictionary<SessionId, Task<SessionAnswer>> _searches = [];
    private readonly SemaphoreSlim _asking = new(MaxAsking);
    private readonly ToldSessions _unreadable = new();

    /// <exception cref="SessionStoreException">The store failed, or what it holds cannot be read.</exception>
    public ValueTask<SessionLoadResult> LoadAsync(Ticket ticket, CancellationToken cancellationToken)
    {
        if (near.TryFind(ticket.Session, out var known) && known.Satisfies(ticket) && near.IsFresh(known))
        {
            metrics.SessionLoaded("near");
            return ValueTask.FromResult(new SessionLoadResult(SessionLoadKind.Found, known.Snapshot) { IsNear = true });
        }

        return AskAsync(ticket, known, cancellationToken);
    }

    private int Others => others?.Count() ?? 0;

    public void Dispose() => _asking.Dispose();

    private async ValueTask<SessionLoadResult> AskAsync(Ticket ticket, NearSession? known, CancellationToken cancellationToken)
    {
        try
        {
            var (asking, isMine) = Once(_underWay, ticket.Session, () => ReadAsync(ticket.Session, known, atLeast: ticket.Version));
            var answer = await asking.WaitAsync(cancellationToken);
            if (!isMine && !(answer.Kind == SessionReadKind.Found && answer.Session!.Satisfies(ticket) && near.MayShare(answer.Session)))
            {
                // That question was older than this request, so its answer proves nothing against this ticket, nor that the session has not ended since.
                answer = await ReadAsync(ticket.Session, known, atLeast: ticket.Version).WaitAsync(cancellationToken);
            }

            var result = Judge(ticket, answer);
            if (result.IsLoss)
            {
                var (search, isMySearch) = Once(_searches, ticket.Session, () => SearchAsync(ticket));
                answer = await search.WaitAsync(cancellationToken);
                result = Judge(ticket, answer);
                if (result.IsLoss && !isMySearch)
                {
                    answer = await SearchAsync(ticket).WaitAsync(cancellationToken);
                    result = Judge(ticket, answer);
                }

                if (result.IsLoss)
                {
                    await losses.TellAsync(ticket, result.Kind, result.Snapshot, answer.Asked);
                }
            }

            metrics.SessionLoaded(Word(result.Kind));
            return result;
        }
        catch (SessionStoreException e)
        {
            metrics.SessionLoaded(e.Fault == SessionStoreFault.Unreadable ? "unreadable" : "unreachable");
            if (e.Fault == SessionStoreFault.Unreadable)
            {
                if (_unreadable.Add(ticket.Session, ticket.Version))
                {
                    logger.SessionUnreadable(ticket.Session.ToFingerprint());
                }
            }
            else if (!GuardedSessionStore.WasNotAsked(e))
            {
                logger.SessionLoadFailed(ticket.Session.ToFingerprint(), e.Fault.ToString(), e.Message);
            }

            throw;
        }
    }

    /// <summary>Parallel requests of one session share one question. It is bounded by the store's time limit and not ended by a visitor who hangs up.</summary>
    private static (Task<SessionAnswer> Task, bool IsMine) Once(Dictionary<SessionId, Task<SessionAnswer>> underWay, SessionId session, Func<Task<SessionAnswer>> ask)
    {
        lock (underWay)
        {
            if (underWay.TryGetValue(session, out var asking) && !asking.IsCompleted)
            {
                return (asking, false);
            }

            asking = ask();
            if (!asking.IsCompleted)
            {
                underWay[session] = asking;
                _ = ForgetAsync(underWay, session, asking);
            }

            return (asking, true);
        }
    }

    private static async Task ForgetAsync(Dictionary<SessionId, Task<SessionAnswer>> underWay, SessionId session, Task asking)
    {
        await asking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (underWay)
        {
            if (underWay.TryGetValue(session, out var latest) && ReferenceEquals(latest, asking))
            {
                underWay.Remove(session);
            }
        }
    }

    /// <summary>Before anything is told to be lost: whoever may change the record must say so, and the other nodes are asked whether one of them remembers it. Asked once per session and state of it.</summary>
    private async Task<SessionAnswer> SearchAsync(Ticket ticket)
    {
        near.TryFind(ticket.Session, out var known);
        var answer = await ReadAsync(ticket.Session, known, latest: true) with { Asked = new AskedNodes(0, Others) };
        if (nodes is null || Judge(ticket, answer) is not { Kind: SessionLoadKind.Lost or SessionLoadKind.Behind } || losses.WasTold(ticket.Session, ticket.Version))
        {
            return answer;
        }

        using var patience = new CancellationTokenSource(options.StoreTimeout, time);
        try
        {
            await _asking.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            return answer;
        }

        try
        {
            using var limit = new CancellationTokenSource(options.StoreTimeout + GuardedSessionStore.Pause, time);
            return await LookAsync(ticket, answer, nodes, limit.Token);
        }
        finally
        {
            _asking.Release();
        }
    }

    /// <summary>
    /// Asks the other nodes and looks whether one of them gives the session back, which takes it as long as a trip to the store may take, and as it leaves alone a store that failed a moment ago. After a fail-over it takes them a moment to be connected again, so they
    /// are asked until as many have heard as live.
    /// </summary>
    private async Task<SessionAnswer> LookAsync(Ticket ticket, SessionAnswer answer, ISessionAnnouncements nodes, CancellationToken limit)
    {
        var (asked, haveAllHeard) = (answer.Asked, false);
        for (var look = 0; !limit.IsCancellationRequested; look++)
        {
            if (!haveAllHeard)
            {
                var heard = await AskAsync(nodes, ticket.Session, limit);
                if (limit.IsCancellationRequested)
                {
                    break;
                }

                asked = new(heard, Math.Max(heard ?? 0, Others));
                if (asked is { Heard: 0, All: 0 })
                {
                    break;
                }

                (haveAllHeard, look) = asked.Heard == asked.All ? (true, 0) : (false, look);
            }

            await Task.Delay(Looks[Math.Min(look, Looks.Length - 1)], time, CancellationToken.None);
            answer = await ReadAsync(ticket.Session, known: null, latest: true);
            if (!Judge(ticket, answer).IsLoss)
            {
                break;
            }
        }

        return answer with { Asked = asked };
    }

    private static async ValueTask<int?> AskAsync(ISessionAnnouncements nodes, SessionId session, CancellationToken limit)
    {
        try
        {
            return await nodes.AskAsync(SessionKey.Of(session), limit);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return 0;
        }
    }

    /// <param name="session">Which one.</param>
    /// <param name="known">What this node remembers of it.</param>
    /// <param name="latest">Asks whoever may change the record.</param>
    /// <param name="atLeast">What the visitor has seen: then a copy may answer that has it. None: no copy may.</param>
    private async Task<SessionAnswer> ReadAsync(SessionId session, NearSession? known, bool latest = false, SessionVersion atLeast = default)
    {
        var key = known?.Key ?? SessionKey.Of(session);
        var asked = time.GetTimestamp();
        var version = known?.Snapshot.Version ?? SessionVersion.None;
        var read = latest ? await store.ReadLatestAsync(key, version, CancellationToken.None)
            : atLeast.IsNone ? await store.ReadAsync(key, version, CancellationToken.None)
            : await store.ReadAtLeastAsync(key, version, version.Counter > atLeast.Counter ? version : atLeast, CancellationToken.None);

        var age = read.Session?.Age ?? TimeSpan.Zero;
        var asOf = Before(asked, age);
        var found = read.Kind switch
        {
            SessionReadKind.Found => new NearSession(key, SessionDecoder.Decode(read.Session!, time, asked), asOf),
            SessionReadKind.Unchanged => new NearSession(key, known!.Snapshot.KeptUntil(time.GetUtcNow() - time.GetElapsedTime(asked) + read.Session!.Remaining), asOf),
            _ => null,
        };
        if (found is not null && age > TimeSpan.Zero && !latest && near.WasRefusedSince(found))
        {
            // Ended or renewed since, as this node has been told.
            return await ReadAsync(session, known, latest: true);
        }

        switch (read.Kind)
        {
            case SessionReadKind.Found:
                return known is not null && SessionHistory.Of(found!.Snapshot, known.Snapshot) != SessionKinship.Later ? await RestoreAsync(session, key, found.Snapshot) : Remember(session, found!);
            case SessionReadKind.Unchanged:
                return Remember(session, found!);
            case SessionReadKind.Absent when known is not null:
                return await RestoreAsync(session, key, found: null);
            default:
                near.Refuse(key);
                return new SessionAnswer(read.Kind, Session: null);
        }
    }

    /// <summary>What a copy answered was so a while before: this node remembers it from then on, so that its age here and there together are bounded.</summary>
    private long Before(long timestamp, TimeSpan age) => age == TimeSpan.Zero ? timestamp : timestamp - (long)(age.TotalSeconds * time.TimestampFrequency);

    /// <summary>The store has less than this node knew before it asked.</summary>
    private async Task<SessionAnswer> RestoreAsync(SessionId session, SessionKey key, SessionSnapshot? found)
    {
        var restored = await healer.RestoreAsync(session, key, found);
        return new SessionAnswer(restored.Kind, restored.Session) { IsFromMemory = !restored.IsConfirmed };
    }

    private SessionAnswer Remember(SessionId session, NearSession found)
    {
        near.Put(session, found);
        return new SessionAnswer(SessionReadKind.Found, found);
    }

    private SessionLoadResult Judge(Ticket ticket, SessionAnswer answer) => answer.Kind switch
    {
        SessionReadKind.Found => Compare(ticket, answer.Session!.Snapshot) with { IsNear = answer.IsFromMemory },
        SessionReadKind.Absent => new(time.GetUtcNow() < ticket.IdleUntil ? SessionLoadKind.Lost : SessionLoadKind.Absent, Snapshot: null),
        SessionReadKind.Ended => new(SessionLoadKind.Ended, Snapshot: null),
        _ => throw new UnreachableException(),
    };

    private SessionLoadResult Compare(Ticket ticket, SessionSnapshot stored)
    {
        if (stored.Generation > ticket.Generation)
        {
            if (logger.IsEnabled(LogLevel.Debug))
            {
                logger.SessionSuperseded(ticket.Session.ToFingerprint(), ticket.Generation, stored.Generation);
            }

            var justNow = time.GetUtcNow() - stored.Renewed < StaleTicketGrace;
            return new(justNow ? SessionLoadKind.JustSuperseded : SessionLoadKind.Superseded, Snapshot: null);
        }

        var kind = stored.Version.Counter < ticket.Version.Counter ? SessionLoadKind.Behind
            : stored.Generation < ticket.Generation || !SessionHistory.Contains(stored.Version, stored.Writes, ticket.Version) ? SessionLoadKind.Diverged
            : SessionLoadKind.Found;
        return new(kind, stored);
    }

    private static string Word(SessionLoadKind kind) => kind switch
    {
        SessionLoadKind.Found => "found",
        SessionLoadKind.Behind => "behind",
        SessionLoadKind.Diverged => "diverged",
        SessionLoadKind.Absent => "absent",
        SessionLoadKind.Ended => "ended",
        SessionLoadKind.Lost => "lost",
        SessionLoadKind.JustSuperseded or SessionLoadKind.Superseded => "superseded",
        _ => throw new UnreachableException(),
    };

    private readonly record struct SessionAnswer(SessionReadKind Kind, NearSession? Session)
    {
        /// <summary>Whether the store has not said so.</summary>
        public bool IsFromMemory { get; init; }

        /// <summary>Who was asked before it was called a loss.</summary>
        public AskedNodes Asked { get; init; }
    }
}
