using System.Security.Cryptography;
using System.Text;

namespace Affinity.Backends.Postgres;

/// <summary>PostgreSQL 14 or later as the shared store: section <c>Affinity:Postgres</c>.</summary>
public sealed class PostgresOptions
{
    internal const int LongestSchemaName = 50;
    private const int LongestNameInSchema = 30;

    /// <summary>
    /// How to reach the primary, in the form of Npgsql: <c>Host=…;Database=…;Username=…;Password=…</c>. With several hosts (<c>Host=a,b</c>) the one that takes writes is found and found again after a fail-over. What it does not say is set for
    /// short calls: 2 s to connect, 3 s per command, at most 20 connections, statements prepared after two uses (<c>Max Auto Prepare=0</c> for a pooler that forbids it). Null (the default): <c>ConnectionStrings:affinity-db</c>. Never logged.
    /// </summary>
    public string? ConnectionString { get; set; }

    /// <summary>
    /// Read replicas that follow the primary by streaming, each host of <c>Host=r1,r2:5433</c> one of them, 1 to 16; what it does not say is as for the primary. A visitor's session is read from one that is at most a second behind
    /// (<see cref="Affinity.Sessions.NearCacheOptions.MaxAge"/>, if that is less) and shows what the visitor has seen; else from the primary. A session that was ended is refused within MaxAge as without replicas. Null (the default):
    /// <c>ConnectionStrings:affinity-db-replicas</c>. Never logged.
    /// </summary>
    public string? Replicas { get; set; }

    /// <summary>Whether the tables are made and upgraded by the app; <see cref="PostgresSchema.Create"/> by default.</summary>
    public PostgresSchema Schema { get; set; } = PostgresSchema.Create;

    /// <summary>
    /// The schema of the database that holds the tables of this app and of no other, so that two apps on one database see nothing of each other. Up to 50 lower-case letters, digits and underscores, not beginning with a digit.
    /// Null (the default): <c>affinity_</c> and the application's name; of its hash too where the name itself cannot be one.
    /// </summary>
    public string? SchemaName { get; set; }

    /// <summary>
    /// Makes the table of sessions UNLOGGED when it is made: writes wait for no disk. The consequence: a crash of the server, or a fail-over to a standby, empties it; nodes give back what they remember, and the rest is told as lost. A
    /// table of unlogged sessions cannot be read on a replica. A later change of this setting changes nothing; for that there is <c>ALTER TABLE … SET LOGGED</c>. False by default.
    /// </summary>
    public bool Unlogged { get; set; }

    /// <summary>How often expired sessions are removed, by one node of all. 1 second to 1 day; 1 minute by default. Expired sessions are gone for everybody before that; this gives their space back.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>How many expired sessions one statement removes, between which others have their turn. 10 to 10,000; 500 by default.</summary>
    public int SweepBatch { get; set; } = 500;

    /// <summary>The schema that an application has by default.</summary>
    internal static string SchemaOf(string application)
    {
        if (IsSchemaName(application, LongestNameInSchema))
        {
            return "affinity_" + application;
        }

        // What is left of the name is for people; the hash tells apart what is left alike.
        var readable = new string([.. application.ToLowerInvariant().Take(LongestNameInSchema).Select(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) ? letter : '_')]);
        return $"affinity_{readable}_{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(application)).AsSpan(..4))}";
    }

    /// <summary>Whether a name needs no quotes in SQL, or at most as a reserved word, which none of ours is with its prefix.</summary>
    internal static bool IsSchemaName(string? name, int longest = LongestSchemaName) =>
        name is { Length: > 0 } && name.Length <= longest && !char.IsAsciiDigit(name[0]) && !name.StartsWith("pg_", StringComparison.Ordinal)
        && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_');
}

/// <summary>Who makes the tables.</summary>
public enum PostgresSchema
{
    /// <summary>The app makes and upgrades them when it first needs them, one node at a time. Its user needs CREATE on the database, or on the schema if that is there.</summary>
    Create,

    /// <summary>Somebody has run the script that <c>affinity schema postgres</c> prints. An app that finds tables of an older release says so and does not use them. Its user needs USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables.</summary>
    Verify,
}
