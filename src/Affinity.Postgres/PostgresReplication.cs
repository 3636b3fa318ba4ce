using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>How far a primary has written and how far its standbys have come, in bytes of its log.</summary>
/// <param name="History">System identifier and timeline: places in the log of another one say nothing. Empty: this is no primary.</param>
/// <param name="IsSynchronous">Whether a commit is acknowledged only when a standby has it on its disk.</param>
/// <param name="Written">How far it has written.</param>
/// <param name="Replicated">How far the furthest standby has it on its disk; -1: there is none, or the user may not see it (<c>pg_monitor</c>, <c>pg_read_all_stats</c>).</param>
internal readonly record struct PostgresReplication(string History, bool IsSynchronous, long Written, long Replicated)
{
    /// <summary>
    /// With <c>remote_write</c> a standby has it in memory, not on its disk. A commit with <c>synchronous_commit=off</c> is acknowledged before it is written, so there the place of insertion counts.
    /// </summary>
    public const string Ask = """
        SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE (SELECT system_identifier FROM pg_control_system()) || ' ' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
          current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('on', 'remote_apply'),
          CASE WHEN pg_is_in_recovery() THEN 0 WHEN current_setting('synchronous_commit') = 'off' THEN pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint END,
          coalesce((SELECT max(pg_wal_lsn_diff(r.flush_lsn, '0/0'))::bigint FROM pg_stat_replication r WHERE r.state = 'streaming'), -1)
        """;

    private const int HistoryColumn = 0;
    private const int SynchronousColumn = 1;
    private const int WrittenColumn = 2;
    private const int ReplicatedColumn = 3;

    /// <summary>The pause between two questions.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(50);

    public static async ValueTask<PostgresReplication> ReadAsync(NpgsqlDataReader reader) => await reader.ReadAsync(CancellationToken.None)
        ? new(reader.GetString(HistoryColumn), reader.GetBoolean(SynchronousColumn), reader.GetInt64(WrittenColumn), reader.GetInt64(ReplicatedColumn))
        : new("", IsSynchronous: false, 0, -1);

    /// <summary>Whether it can be compared with an earlier answer: of the same primary, with a standby.</summary>
    public bool FollowsFrom(PostgresReplication earlier) => History.Length > 0 && string.Equals(History, earlier.History, StringComparison.Ordinal) && (Replicated >= 0 || IsSynchronous);
}
