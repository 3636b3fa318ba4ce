using Affinity.Backends.Postgres;

namespace Affinity.Tool;

/// <summary>Prints what makes and upgrades the tables of a database, for those who do not let an app do it.</summary>
internal static class SchemaCommand
{
    public const string Name = "schema";

    public const string Usage = """
        affinity schema postgres --schema NAME [--unlogged]

          Prints the SQL that makes the tables of Affinity in PostgreSQL, or upgrades them. It may be run again. Connects to nothing.

          --schema NAME                the schema: what the app's Affinity:Postgres:SchemaName says, or its log
          --unlogged                   sessions that a crash of the server empties, as with Affinity:Postgres:Unlogged

          The app's user then needs USAGE on the schema, and SELECT, INSERT, UPDATE and DELETE on its tables.
          Exit code: 0, or 2 when the call is wrong.
        """;

    private const int WrongCall = 2;

    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, TextWriter output, TextWriter errors)
    {
        if (args is [_, "--help"] or [_, "postgres", "--help"])
        {
            await output.WriteLineAsync(Usage);
            return 0;
        }

        if (args is not [_, "postgres", "--schema", var schema, ..] || args.Count > 5 || (args.Count == 5 && args[4] is not "--unlogged") || !PostgresOptions.IsSchemaName(schema))
        {
            await errors.WriteLineAsync($"The call is wrong, or the schema's name is not up to {PostgresOptions.LongestSchemaName} lower-case letters, digits and underscores.\n\n{Usage}");
            return WrongCall;
        }

        await output.WriteAsync(PostgresSchemaScript.Printed(schema, args.Count == 5));
        return 0;
    }
}
