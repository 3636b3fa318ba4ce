using System.Text;
using Affinity.Tickets;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>Key rings as rows of one table that is always logged, those of Data Protection among them.</summary>
internal sealed class PostgresKeyVault(PostgresDatabase database) : IKeyVault
{
    private readonly string _read = $"SELECT element FROM {database.Schema}.keys WHERE ring = $1 ORDER BY position";

    // Of two who have seen the same ring both count the same and take the same position, and its primary key lets one through.
    private readonly string _append = $"""
        INSERT INTO {database.Schema}.keys (ring, position, element)
        SELECT $1, coalesce(max(position) + 1, 0), $2 FROM {database.Schema}.keys WHERE ring = $1 HAVING count(*) = $3
        ON CONFLICT DO NOTHING
        """;

    public async ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidRing(ring);
        return await CallAsync(
            _read,
            ring,
            static (parameters, ring) => parameters.AddText(ring),
            static async reader =>
            {
                List<string> elements = [];
                while (await reader.ReadAsync(CancellationToken.None))
                {
                    elements.Add(Encoding.UTF8.GetString(reader.GetFieldValue<byte[]>(0)));
                }

                return (IReadOnlyList<string>)elements;
            },
            cancellationToken);
    }

    public async ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidAppend(ring, element, seen);
        return await CallAsync(
            _append,
            (Ring: ring, Element: Encoding.UTF8.GetBytes(element), Seen: seen),
            static (parameters, call) =>
            {
                parameters.AddText(call.Ring);
                parameters.AddBytes(call.Element);
                parameters.AddInteger(call.Seen);
            },
            static reader => ValueTask.FromResult(reader.RecordsAffected > 0),
            cancellationToken);
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
            throw new KeyVaultException(PostgresFaults.Describe(exception), exception);
        }
    }
}
