using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>One replica: what this node has proved of it, and whether it is left alone.</summary>
internal sealed class PostgresReplica(int number, NpgsqlDataSource source, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private long _asOf = long.MinValue;
    private long _leftAt = long.MinValue;
    private int _isUsed;

    public int Number => number;

    /// <summary>How far behind it may be: it shows all that was acknowledged before that. <see cref="TimeSpan.MaxValue"/> when nothing is proved.</summary>
    public TimeSpan Lag => Volatile.Read(ref _asOf) is var asOf and > long.MinValue ? time.GetElapsedTime(asOf) : TimeSpan.MaxValue;

    /// <summary>Whether it did not fail lately.</summary>
    public bool IsAsked => Volatile.Read(ref _leftAt) is var left && (left == long.MinValue || time.GetElapsedTime(left) >= Pause);

    /// <summary>Asks whether it has replayed what the primary had written when it was asked.</summary>
    /// <param name="point">Where the primary was.</param>
    /// <param name="asOf">A timestamp from before that.</param>
    /// <param name="limit">How far behind it may be to be read.</param>
    /// <param name="end">Of the node.</param>
    public async Task ProveAsync(PostgresLogPoint point, long asOf, TimeSpan limit, CancellationToken end)
    {
        string? reason = null;
        using var patience = new CancellationTokenSource(Pause, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, end);
        try
        {
            if (await CallAsync(PostgresLogPoint.HasReplayed, point, PostgresLogPoint.Bind, PostgresLogPoint.ReadAnswerAsync, either.Token))
            {
                Volatile.Write(ref _asOf, asOf);
            }
        }
        catch (OperationCanceledException)
        {
            reason = "it does not answer.";
        }
        catch (Exception exception)
        {
            reason = PostgresFaults.Describe(exception);
        }

        Tell(limit, reason);
    }

    /// <summary>Reads a session; null, and it is left alone for a while, when it fails.</summary>
    public async Task<SessionRead?> TryReadAsync(string sql, SessionKey key, SessionVersion known, CancellationToken cancellationToken)
    {
        try
        {
            return await CallAsync(sql, (Key: key.Value, Known: known), PostgresSessionStore.BindRead, PostgresSessionStore.ReadAnyAsync, cancellationToken);
        }
        catch (Exception)
        {
            // Whatever it is, the primary can say it better.
            Volatile.Write(ref _leftAt, time.GetTimestamp());
            return null;
        }
    }

    public ValueTask DisposeAsync() => source.DisposeAsync();

    private Task<TResult> CallAsync<TCall, TResult>(
        string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read, CancellationToken cancellationToken)
    {
        return SendAsync().UntilAsync(cancellationToken);

        async Task<TResult> SendAsync()
        {
            await using var connection = await source.OpenConnectionAsync(cancellationToken);
            return await PostgresDatabase.SendAsync(connection, sql, call, bind, read);
        }
    }

    /// <summary>Each change once.</summary>
    private void Tell(TimeSpan limit, string? reason)
    {
        if (Lag < limit)
        {
            if (Interlocked.Exchange(ref _isUsed, 1) == 0)
            {
                logger.PostgresReplicaUsed(number);
            }
        }
        else if (Interlocked.Exchange(ref _isUsed, 0) == 1)
        {
            logger.PostgresReplicaLeft(number, reason ?? "it is too far behind.");
        }
    }
}
