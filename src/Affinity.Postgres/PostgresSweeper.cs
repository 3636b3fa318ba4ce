using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>
/// Removes expired sessions and forgotten endings, one node at a time (an advisory lock of the database's), in small batches with pauses as long as the batches, and never waits for a row that somebody else is about to write.
/// </summary>
internal sealed class PostgresSweeper(PostgresDatabase database, TimeProvider time, ILogger<PostgresSweeper> logger)
{
    // Long enough for a server that is busy with something else; a batch takes milliseconds.
    private const int BatchSeconds = 30;

    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    private readonly string _lock = $"SELECT pg_try_advisory_lock({PostgresSchemaScript.SweepingLock(database.Schema)})";
    private readonly string _unlock = $"SELECT pg_advisory_unlock({PostgresSchemaScript.SweepingLock(database.Schema)})";

    // now() and not clock_timestamp(): an index cannot be read up to a limit that moves. FOR UPDATE tries the condition again on the newest row, and a row that was locked stays in its place until this statement has removed it.
    private readonly string _batch = $"""
        DELETE FROM {database.Schema}.sessions WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM {database.Schema}.sessions WHERE due <= now() - interval '10 minutes' AND expires <= now() ORDER BY due LIMIT {database.Options.SweepBatch} FOR UPDATE SKIP LOCKED))
        """;

    private bool _isTold;

    /// <summary>Removes what has expired, batch by batch; answers how many rows, or null when another node is at it.</summary>
    public async Task<long?> SweepAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        if (!await IsAloneAsync(connection))
        {
            return null;
        }

        try
        {
            long removed = 0;
            await using var batch = new NpgsqlCommand(_batch, connection) { CommandTimeout = BatchSeconds };
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var began = time.GetTimestamp();
                var rows = await batch.ExecuteNonQueryAsync(CancellationToken.None);
                removed += rows;
                if (rows < database.Options.SweepBatch)
                {
                    return removed;
                }

                // Half of the time at most, so that the sweeper takes less the busier the server is.
                var took = time.GetElapsedTime(began);
                await Task.Delay(took < LongestPause ? took : LongestPause, time, cancellationToken);
            }
        }
        finally
        {
            await ReleaseAsync(connection);
        }
    }

    /// <summary>At each interval, until the token ends it.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            // Not all nodes of a farm in step.
            await Task.Delay(database.Options.SweepInterval * (0.75 + (Random.Shared.NextDouble() / 2)), time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stoppingToken.IsCancellationRequested)
            {
                await TrySweepAsync(stoppingToken);
            }
        }
    }

    private async Task TrySweepAsync(CancellationToken stoppingToken)
    {
        var began = time.GetTimestamp();
        try
        {
            if (await SweepAsync(stoppingToken) is { } removed)
            {
                var took = time.GetElapsedTime(began);
                logger.PostgresSwept(removed, took);
            }

            _isTold = false;
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            if (!_isTold)
            {
                logger.PostgresSweepFailed(PostgresFaults.Describe(exception));
                _isTold = true;
            }
        }
        catch (OperationCanceledException)
        {
            // The app ends.
        }
    }

    private async Task<bool> IsAloneAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(_lock, connection);
        return await command.ExecuteScalarAsync(CancellationToken.None) is true;
    }

    /// <summary>The lock belongs to the session, which goes back to the pool. If it cannot be given back the connection is lost, and the lock with it.</summary>
    private async Task ReleaseAsync(NpgsqlConnection connection)
    {
        try
        {
            await using var command = new NpgsqlCommand(_unlock, connection);
            await command.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException)
        {
            // Without it no node would ever sweep again.
            NpgsqlConnection.ClearPool(connection);
        }
    }
}
