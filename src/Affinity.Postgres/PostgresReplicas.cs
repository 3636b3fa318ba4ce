using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Backends.Postgres;

/// <summary>
/// Reads sessions from replicas, each of which is behind the primary by what this node measures: every <see cref="Interval"/> it asks the primary how far its log is and then each replica whether it has replayed that far. If so, the replica
/// shows all that was acknowledged before the first question, and goes on doing so; no clock of two machines is compared. One that is further behind than <see cref="Limit"/>, or fails, is not read.
/// </summary>
/// <remarks>
/// An answer carries how far behind it may be (<see cref="StoredSession.Age"/>), and a node remembers it as if it had been asked that much earlier. So a session that was ended is refused within MaxAge everywhere, as without replicas, even if the
/// announcement is lost; and at once where it was heard. What a visitor has seen is never shown older: the ticket says it.
/// </remarks>
internal sealed class PostgresReplicas : IAsyncDisposable
{
    private static readonly TimeSpan MostLag = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(250);

    private readonly PostgresDatabase _database;
    private readonly TimeProvider _time;
    private readonly AffinityMetrics _metrics;
    private readonly PostgresReplica[] _replicas;
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private Task? _proving;
    private uint _turn;

    public PostgresReplicas(PostgresDatabase database, NearCacheOptions near, TimeProvider time, AffinityMetrics metrics, ILogger<PostgresReplicas> logger)
    {
        (_database, _time, _metrics) = (database, time, metrics);
        Limit = near.Enabled ? near.MaxAge < MostLag ? near.MaxAge : MostLag : TimeSpan.Zero;
        _replicas = near.Enabled ? [.. database.BuildReplicas().Select((source, i) => new PostgresReplica(i + 1, source, time, logger))] : [];
        if (_replicas.Length > 0)
        {
            metrics.ObserveReplicas(() => _replicas.Where(replica => replica.Lag < TimeSpan.MaxValue).Select(replica => (replica.Number, replica.Lag)));
        }
    }

    /// <summary>How often it is measured. The lag that is known is that much larger than the real one.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How far behind a replica may be that is read. Zero, and no replica is, where nothing may be remembered: then an ended session is to be refused at once.</summary>
    public TimeSpan Limit { get; }

    /// <summary>Reads from a replica; null when the primary is to be asked.</summary>
    /// <param name="sql">Of the store.</param>
    /// <param name="key">Which session.</param>
    /// <param name="known">What the caller has.</param>
    /// <param name="atLeast">What the visitor has seen.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<SessionRead?> TryReadAsync(string sql, SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken)
    {
        if (_replicas.Length == 0)
        {
            return null;
        }

        cancellationToken.ThrowIfCancellationRequested();
        Prove();
        if (Next() is not { } replica)
        {
            _metrics.ReplicaRead("lagging");
            return null;
        }

        // Before it is asked: what it shows afterwards is at least that new.
        var lag = replica.Lag;
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var read = await replica.TryReadAsync(sql, key, known, either.Token);
        cancellationToken.ThrowIfCancellationRequested();
        var outcome = read is not { } answer ? "failed" : answer.Kind == SessionReadKind.Absent ? "absent" : IsOlder(answer, atLeast) ? "older" : "replica";
        _metrics.ReplicaRead(outcome);
        return outcome is not "replica" ? null : read!.Value.Session is { } session ? read.Value with { Session = session with { Age = lag } } : read;
    }

    public async ValueTask DisposeAsync()
    {
        if (_end.IsCancellationRequested)
        {
            return;
        }

        await _end.CancelAsync();
        await (_proving ?? Task.CompletedTask).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }

        _end.Dispose();
    }

    /// <summary>An ending is final, however old.</summary>
    private static bool IsOlder(SessionRead answer, SessionVersion atLeast) =>
        answer.Session?.Version is { } version && version != atLeast && version.Counter <= atLeast.Counter;

    /// <summary>In turn, those that are near enough.</summary>
    private PostgresReplica? Next()
    {
        var first = Interlocked.Increment(ref _turn);
        for (var i = 0u; i < _replicas.Length; i++)
        {
            var replica = _replicas[(first + i) % (uint)_replicas.Length];
            if (replica.IsAsked && replica.Lag < Limit)
            {
                return replica;
            }
        }

        return null;
    }

    /// <summary>Begins with the first read: a node that reads nothing measures nothing.</summary>
    private void Prove()
    {
        if (_proving is not null)
        {
            return;
        }

        lock (_gate)
        {
            _proving ??= Task.Run(() => ProveAsync(_end.Token));
        }
    }

    private async Task ProveAsync(CancellationToken end)
    {
        var underWay = Array.ConvertAll(_replicas, static _ => Task.CompletedTask);
        while (!end.IsCancellationRequested)
        {
            var asOf = _time.GetTimestamp();
            if (await TryLookAsync(end) is { } point)
            {
                // One that is silent must not keep the others from being measured.
                for (var i = 0; i < _replicas.Length; i++)
                {
                    underWay[i] = underWay[i].IsCompleted ? _replicas[i].ProveAsync(point, asOf, Limit, end) : underWay[i];
                }
            }

            await Task.Delay(Interval, _time, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(underWay);
    }

    /// <summary>Null while the primary is away: what was proved grows old by itself, and then no replica is read.</summary>
    private async Task<PostgresLogPoint?> TryLookAsync(CancellationToken end)
    {
        using var patience = new CancellationTokenSource(Limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, end);
        try
        {
            return await _database.CallAsync(PostgresLogPoint.Now, 0, static (_, _) => { }, PostgresLogPoint.ReadAsync, either.Token);
        }
        catch (Exception)
        {
            return null;
        }
    }
}
