using Npgsql;
using NpgsqlTypes;

namespace Affinity.Backends.Postgres;

/// <summary>Parameters of a stated type, by their place: the server need not guess, and numbers are not boxed.</summary>
internal static class PostgresParameters
{
    public static void AddText(this NpgsqlParameterCollection parameters, string value) => parameters.Add(new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text });

    public static void AddBytes(this NpgsqlParameterCollection parameters, byte[] value) => parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea });

    public static void AddBytes(this NpgsqlParameterCollection parameters, ReadOnlyMemory<byte> value) =>
        parameters.Add(new NpgsqlParameter<ReadOnlyMemory<byte>> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea });

    public static void AddInteger(this NpgsqlParameterCollection parameters, int value) => parameters.Add(new NpgsqlParameter<int> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Integer });

    public static void AddUuid(this NpgsqlParameterCollection parameters, Guid value) => parameters.Add(new NpgsqlParameter<Guid> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Uuid });

    public static void AddBoolean(this NpgsqlParameterCollection parameters, bool value) => parameters.Add(new NpgsqlParameter<bool> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Boolean });

    public static void AddTextOrNull(this NpgsqlParameterCollection parameters, string? value) => parameters.Add(new NpgsqlParameter { Value = (object?)value ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });

    public static void AddBigint(this NpgsqlParameterCollection parameters, long value) => parameters.Add(new NpgsqlParameter<long> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bigint });
}
