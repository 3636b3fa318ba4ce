using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>A place in the primary's log: all that was acknowledged before it was asked for lies before it.</summary>
/// <param name="System">The cluster of data.</param>
/// <param name="Timeline">Raised by each promotion: a place of another timeline says nothing.</param>
/// <param name="Place">In bytes.</param>
internal readonly record struct PostgresLogPoint(string System, int Timeline, long Place)
{
    /// <summary>A commit with <c>synchronous_commit=off</c> is acknowledged before it is written, so there the place of insertion counts. Fails on a standby.</summary>
    public const string Now = """
        SELECT (SELECT system_identifier FROM pg_control_system())::text, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer,
          pg_wal_lsn_diff(CASE WHEN current_setting('synchronous_commit') = 'off' THEN pg_current_wal_insert_lsn() ELSE pg_current_wal_lsn() END, '0/0')::bigint
        """;

    /// <summary>
    /// Whether a replica has replayed up to there. A standby tells its timeline as of its last restart point: after a fail-over it takes up to <c>checkpoint_timeout</c> until it is read again, and until then it proves nothing; one that
    /// follows the former primary never does.
    /// </summary>
    public const string HasReplayed = """
        SELECT pg_is_in_recovery() AND (SELECT system_identifier FROM pg_control_system())::text = $1 AND (SELECT timeline_id FROM pg_control_checkpoint()) = $2
          AND coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint >= $3, false)
        """;

    private const int SystemColumn = 0;
    private const int TimelineColumn = 1;
    private const int PlaceColumn = 2;

    public static async ValueTask<PostgresLogPoint> ReadAsync(NpgsqlDataReader reader) => await reader.ReadAsync(CancellationToken.None)
        ? new(reader.GetString(SystemColumn), reader.GetInt32(TimelineColumn), reader.GetInt64(PlaceColumn))
        : throw new PostgresRowException("PostgreSQL answered in an unknown form.");

    public static void Bind(NpgsqlParameterCollection parameters, PostgresLogPoint point)
    {
        parameters.AddText(point.System);
        parameters.AddInteger(point.Timeline);
        parameters.AddBigint(point.Place);
    }

    public static async ValueTask<bool> ReadAnswerAsync(NpgsqlDataReader reader) => await reader.ReadAsync(CancellationToken.None) && reader.GetBoolean(0);
}
