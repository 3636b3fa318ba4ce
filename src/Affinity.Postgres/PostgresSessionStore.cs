using System.Globalization;
using Affinity.Sessions;
using Affinity.Tickets;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>Sessions in PostgreSQL: one row per session, one statement and one round trip per operation. Sets no time limit of its own beyond the token.</summary>
internal sealed class PostgresSessionStore(PostgresDatabase database, TimeProvider time, PostgresReplicas? replicas = null) : ISessionStore
{
    private const int Kind = 0;

    // In the place of a generation in an announcement.
    private static readonly string Ended = int.MaxValue.ToString(CultureInfo.InvariantCulture);

    private readonly string _read = ReadText(database.Schema);
    private readonly string _write = $"SELECT o_kind, o_version, o_generation, o_left, o_absolute, o_payload, o_writes FROM {database.Schema}.write_session($1, $2, $3, $4, $5, $6, $7, $8)";

    private readonly string _touch = $"SELECT {database.Schema}.touch_session($1, $2)";

    // A second, shorter deletion does not shorten the memory of the first, and is not told again.
    private readonly string _delete = $"""
        WITH ending AS (
          INSERT INTO {database.Schema}.sessions AS s (key, version, generation, generation_before, expires_before, ended, expires, absolute, writes, payload)
          VALUES ($1, $3, 0, 0, clock_timestamp(), true, clock_timestamp() + $2 * interval '1 millisecond', clock_timestamp() + $2 * interval '1 millisecond', '', '')
          ON CONFLICT (key) DO UPDATE SET
            version = $3, ended = true, writes = '', payload = '', expires = clock_timestamp() + $2 * interval '1 millisecond', absolute = clock_timestamp() + $2 * interval '1 millisecond'
          WHERE NOT s.ended OR s.expires < clock_timestamp() + $2 * interval '1 millisecond'
          RETURNING key)
        SELECT pg_notify('{PostgresSchemaScript.ChannelOf(database.Schema)}', key || ' {Ended}') FROM ending
        """;

    /// <summary>
    /// A row always comes, so that a standby says what it is also of what it does not have. Columns: kind (null: nothing), version, generation, what is left and to the absolute limit in microseconds, payload, writes, whether this is a standby.
    /// Parameters: key, known version.
    /// </summary>
    public static string ReadText(string schema) => $"""
        SELECT CASE WHEN s.ended THEN 'ended' WHEN s.version = $2 THEN 'unchanged' WHEN s.key IS NOT NULL THEN 'found' END, s.version, s.generation,
          (extract(epoch FROM s.expires - c.t) * 1000000)::bigint, (extract(epoch FROM s.absolute - c.t) * 1000000)::bigint,
          CASE WHEN s.version <> $2 THEN s.payload END, CASE WHEN s.version <> $2 THEN s.writes END, pg_is_in_recovery()
        FROM (SELECT clock_timestamp() AS t) c LEFT JOIN {schema}.sessions s ON s.key = $1 AND s.expires > c.t
        """;

    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(key, known, latest: false, cancellationToken);

    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => ReadAsync(key, known, latest: true, cancellationToken);

    public async ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken) =>
        replicas is not null && await replicas.TryReadAsync(_read, key, known, atLeast, cancellationToken) is { } read ? read : await ReadAsync(key, known, cancellationToken);

    public async ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken)
    {
        SessionWrite.ThrowIfInvalid(write);
        return await CallAsync(
            _write,
            (Key: key.Value, Write: write),
            static (parameters, call) =>
            {
                parameters.AddText(call.Key);
                parameters.AddBytes(PostgresSessionRow.ToBytes(call.Write.Expected));
                parameters.AddBytes(PostgresSessionRow.ToBytes(call.Write.Next));
                parameters.AddInteger(call.Write.Generation);
                parameters.AddBigint(PostgresCalls.ToMilliseconds(call.Write.Idle));
                parameters.AddBigint(PostgresCalls.ToMilliseconds(call.Write.Absolute));
                parameters.AddBytes(call.Write.Payload);
                parameters.AddBytes(PostgresSessionRow.ToBytes(call.Write.Between));
            },
            static async reader =>
            {
                await ReadRowAsync(reader);
                return reader.GetString(Kind) switch
                {
                    "written" => new SessionWriteResult(SessionWriteKind.Written, Newer: null),
                    "superseded" => new SessionWriteResult(SessionWriteKind.Superseded, PostgresSessionRow.Read(reader, withPayload: true)),
                    "conflict" => new SessionWriteResult(SessionWriteKind.Conflict, PostgresSessionRow.Read(reader, withPayload: true)),
                    "ended" => new SessionWriteResult(SessionWriteKind.Ended, Newer: null),
                    "absent" => new SessionWriteResult(SessionWriteKind.Absent, Newer: null),
                    _ => throw PostgresSessionRow.Unreadable(),
                };
            },
            cancellationToken);
    }

    public async ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(idle, TimeSpan.Zero);
        return await CallAsync(_touch, (Key: key.Value, Idle: PostgresCalls.ToMilliseconds(idle)), BindDuration, static async reader => await reader.ReadAsync(CancellationToken.None) && reader.GetBoolean(0), cancellationToken);
    }

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(remember, TimeSpan.Zero);
        await CallAsync(
            _delete,
            (Key: key.Value, Remember: PostgresCalls.ToMilliseconds(remember)),
            static (parameters, call) =>
            {
                BindDuration(parameters, call);
                parameters.AddBytes(PostgresSessionRow.ToBytes(SessionVersion.None));
            },
            static _ => ValueTask.FromResult(true),
            cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask<string?> TestifyAsync(CancellationToken cancellationToken) => await CallAsync(PostgresHistory.Testify, 0, NoParameters, PostgresHistory.ReadAsync, cancellationToken);

    /// <inheritdoc/>
    public async ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken)
    {
        if (database.Options.Unlogged)
        {
            return false;
        }

        var wanted = await AskAsync();
        for (var now = wanted; now.FollowsFrom(wanted); now = await AskAsync())
        {
            if (wanted.IsSynchronous || now.Replicated >= wanted.Written)
            {
                return true;
            }

            await Task.Delay(PostgresReplication.Interval, time, cancellationToken);
        }

        return false;

        Task<PostgresReplication> AskAsync() => CallAsync(PostgresReplication.Ask, 0, NoParameters, PostgresReplication.ReadAsync, cancellationToken);
    }

    private async ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, bool latest, CancellationToken cancellationToken)
    {
        Func<NpgsqlDataReader, ValueTask<SessionRead>> answer = latest ? ReadOfPrimaryAsync : ReadAnyAsync;
        return await CallAsync(_read, (Key: key.Value, Known: known), BindRead, answer, cancellationToken);
    }

    public static void BindRead(NpgsqlParameterCollection parameters, (string Key, SessionVersion Known) call)
    {
        parameters.AddText(call.Key);
        parameters.AddBytes(PostgresSessionRow.ToBytes(call.Known));
    }

    /// <summary>Reads the answer to <see cref="ReadText"/>.</summary>
    public static async ValueTask<SessionRead> ReadAnyAsync(NpgsqlDataReader reader)
    {
        await ReadRowAsync(reader);
        if (reader.IsDBNull(Kind))
        {
            return SessionRead.Absent;
        }

        return reader.GetString(Kind) switch
        {
            "found" => new SessionRead(SessionReadKind.Found, PostgresSessionRow.Read(reader, withPayload: true)),
            "unchanged" => new SessionRead(SessionReadKind.Unchanged, PostgresSessionRow.Read(reader, withPayload: false)),
            _ => SessionRead.Ended,
        };
    }

    private static async ValueTask<SessionRead> ReadOfPrimaryAsync(NpgsqlDataReader reader)
    {
        const int IsStandby = 7;
        var read = await ReadAnyAsync(reader);
        return reader.GetBoolean(IsStandby) ? throw new PostgresNotReadyException("PostgreSQL takes no writes on this server, so it cannot say what is newest.") : read;
    }

    private static async ValueTask ReadRowAsync(NpgsqlDataReader reader)
    {
        if (!await reader.ReadAsync(CancellationToken.None))
        {
            throw new PostgresRowException("PostgreSQL answered in an unknown form.");
        }
    }

    private static void NoParameters(NpgsqlParameterCollection parameters, int call)
    {
        // The statement has none.
    }

    private static void BindDuration(NpgsqlParameterCollection parameters, (string Key, long Milliseconds) call)
    {
        parameters.AddText(call.Key);
        parameters.AddBigint(call.Milliseconds);
    }

    private async Task<TResult> CallAsync<TCall, TResult>(
        string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await database.CallAsync(sql, call, bind, read, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new SessionStoreException(PostgresFaults.Classify(exception), PostgresFaults.Describe(exception), exception);
        }
    }
}
