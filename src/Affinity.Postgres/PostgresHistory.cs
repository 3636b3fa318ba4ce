using System.Globalization;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>What a server can say for itself: which cluster of data it is, on which timeline (a promotion begins a new one), since when, and whether it takes writes.</summary>
internal static class PostgresHistory
{
    /// <summary>One row: system identifier, timeline (null on a standby), seconds since the start, whether it is a standby, synchronous_commit.</summary>
    public const string Testify = """
        SELECT (SELECT system_identifier FROM pg_control_system())::text, CASE WHEN NOT pg_is_in_recovery() THEN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
          extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::bigint, pg_is_in_recovery(), current_setting('synchronous_commit')
        """;

    private const int System = 0;
    private const int Timeline = 1;
    private const int Uptime = 2;
    private const int IsStandby = 3;
    private const int Commit = 4;

    public static async ValueTask<string?> ReadAsync(NpgsqlDataReader reader)
    {
        if (!await reader.ReadAsync(CancellationToken.None))
        {
            return null;
        }

        var timeline = reader.IsDBNull(Timeline) ? "none of its own" : int.Parse(reader.GetString(Timeline), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture).ToString(CultureInfo.InvariantCulture);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"system_identifier {reader.GetString(System)}, timeline {timeline}, up for {reader.GetInt64(Uptime)} s, {(reader.GetBoolean(IsStandby) ? "a standby" : "takes writes")}, synchronous_commit {reader.GetString(Commit)}");
    }
}
