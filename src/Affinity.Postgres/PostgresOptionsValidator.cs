using Microsoft.Extensions.Options;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>Reports every fault of <see cref="PostgresOptions"/> with its cure, and never a part of a connection string.</summary>
internal sealed class PostgresOptionsValidator : IValidateOptions<PostgresOptions>
{
    private const int MostReplicas = 16;
    private const int LeastBatch = 10;
    private const int MostBatch = 10_000;
    private static readonly TimeSpan LeastInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan MostInterval = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, PostgresOptions options)
    {
        List<string> faults = [.. Faults(options)];
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    public static IEnumerable<string> Faults(PostgresOptions options)
    {
        if (options.ConnectionString is { } connection && !IsReadable(connection))
        {
            yield return "Affinity:Postgres:ConnectionString (or ConnectionStrings:affinity-db) is not a connection string of Npgsql that names a host; write it like 'Host=db;Database=shop;Username=shop;Password=…'.";
        }

        if (options.Replicas is { } replicas && !(IsReadable(replicas) && new NpgsqlConnectionStringBuilder(replicas).Host!.Split(',') is { Length: <= MostReplicas } hosts && Array.TrueForAll(hosts, host => host.Length > 0)))
        {
            yield return $"Affinity:Postgres:Replicas (or ConnectionStrings:affinity-db-replicas) must name 1 to {MostReplicas} hosts in the form of Npgsql, like 'Host=replica-1,replica-2:5433'.";
        }

        if (!Enum.IsDefined(options.Schema))
        {
            yield return "Affinity:Postgres:Schema must be Create or Verify.";
        }

        if (options.SchemaName is not null && !PostgresOptions.IsSchemaName(options.SchemaName))
        {
            yield return $"Affinity:Postgres:SchemaName must be up to {PostgresOptions.LongestSchemaName} lower-case letters, digits and underscores, not beginning with a digit or with pg_, like 'affinity_shop', or be left out.";
        }

        if (options.SweepInterval < LeastInterval || options.SweepInterval > MostInterval)
        {
            yield return "Affinity:Postgres:SweepInterval must be between 1 second and 1 day, like '00:01:00'.";
        }

        if (options.SweepBatch is < LeastBatch or > MostBatch)
        {
            yield return $"Affinity:Postgres:SweepBatch must be between {LeastBatch} and {MostBatch}, like 500.";
        }
    }

    private static bool IsReadable(string connection)
    {
        try
        {
            return !string.IsNullOrWhiteSpace(new NpgsqlConnectionStringBuilder(connection).Host);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or NotSupportedException or InvalidCastException)
        {
            // What the parser says may quote half of a password.
            return false;
        }
    }
}
