using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>Nobody passes who would not find the tables as this release needs them.</summary>
internal static class PostgresSchemaGate
{
    // Another node may be making the tables, and an index of a large table takes its time.
    private const int MakingSeconds = 60;

    /// <summary>Looks, and makes or upgrades where that is wished. Answers which tables were there (0: none) and which are.</summary>
    /// <exception cref="PostgresNotReadyException">They are not fit and are not to be made, or may not be.</exception>
    public static async Task<(int Before, int Now)> PassAsync(NpgsqlConnection connection, PostgresOptions options, string schema)
    {
        var (number, serves) = await LookAsync(connection, schema);
        if (serves > PostgresSchemaScript.Number)
        {
            throw new PostgresNotReadyException($"The tables in the schema {schema} of PostgreSQL are of a later release ({number}), which this one ({PostgresSchemaScript.Number}) cannot use. Deploy that release here too.");
        }

        if (number >= PostgresSchemaScript.Number)
        {
            return (number, number);
        }

        if (options.Schema == PostgresSchema.Verify)
        {
            throw new PostgresNotReadyException(
                $"The tables in the schema {schema} of PostgreSQL are {(number == 0 ? "not there" : $"of an earlier release ({number})")}, and Affinity:Postgres:Schema is Verify. Run the script that this prints, as the schema's owner: affinity schema postgres --schema {schema}");
        }

        try
        {
            await MakeAsync(connection, schema, options.Unlogged);
        }
        catch (PostgresException exception) when (exception.SqlState is PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new PostgresNotReadyException(
                $"The user may not make the tables in the schema {schema} of PostgreSQL. Grant CREATE on the database, or run the script that this prints, as the schema's owner, and set Affinity:Postgres:Schema to Verify: affinity schema postgres --schema {schema}", exception);
        }

        return (number, PostgresSchemaScript.Number);
    }

    private static async Task<(int Number, int Serves)> LookAsync(NpgsqlConnection connection, string schema)
    {
        await using var command = new NpgsqlCommand($"SELECT number, serves FROM {schema}.version", connection);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
            return await reader.ReadAsync(CancellationToken.None) ? (reader.GetInt32(0), reader.GetInt32(1)) : default;
        }
        catch (PostgresException exception) when (PostgresFaults.IsMissingSchema(exception))
        {
            return default;
        }
    }

    private static async Task MakeAsync(NpgsqlConnection connection, string schema, bool unlogged)
    {
        await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
        await using var alone = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({PostgresSchemaScript.MakingLock(schema)})", connection, transaction) { CommandTimeout = MakingSeconds };
        await alone.ExecuteNonQueryAsync(CancellationToken.None);

        // Somebody who was faster has left nothing to do; the script does nothing twice.
        await using var script = new NpgsqlCommand(PostgresSchemaScript.Of(schema, unlogged), connection, transaction) { CommandTimeout = MakingSeconds };
        await script.ExecuteNonQueryAsync(CancellationToken.None);
        await transaction.CommitAsync(CancellationToken.None);
    }
}
