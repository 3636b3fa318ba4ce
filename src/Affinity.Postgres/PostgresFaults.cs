using System.Collections.Frozen;
using Affinity.Sessions;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>The call was not sent: no connection, or the tables are not there.</summary>
internal sealed class PostgresNotReadyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The call was committed here, and nobody knows whether on a standby too, as was asked for.</summary>
internal sealed class PostgresDoubtException(string message) : Exception(message);

/// <summary>The database holds or answers what no release writes.</summary>
internal sealed class PostgresRowException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Tells from an exception whether the call may have taken effect. When in doubt: ambiguous.</summary>
/// <remarks>
/// Every call is one statement and its own transaction. A server that answers ERROR has rolled it back. It answers FATAL when it ends the connection, which it may do after the commit, while that waits for a standby; and a
/// cancelled statement may have been one whose commit was under way, behind a pooler at least.
/// </remarks>
internal static class PostgresFaults
{
    private const string Error = "ERROR";

    /// <summary>A value is not of the form that the tables promise (class 22), or breaks what they check (class 23).</summary>
    private static readonly string[] Damages = ["22", "23"];

    private static readonly FrozenSet<string> Doubtful = FrozenSet.ToFrozenSet([PostgresErrorCodes.QueryCanceled, PostgresErrorCodes.StatementCompletionUnknown], StringComparer.Ordinal);

    private static readonly FrozenSet<string> Missing = FrozenSet.ToFrozenSet(
        [PostgresErrorCodes.UndefinedTable, PostgresErrorCodes.UndefinedFunction, PostgresErrorCodes.UndefinedColumn, PostgresErrorCodes.InvalidSchemaName], StringComparer.Ordinal);

    public static SessionStoreFault Classify(Exception exception) => exception switch
    {
        PostgresNotReadyException or ObjectDisposedException => SessionStoreFault.NotApplied,
        PostgresRowException or InvalidCastException => SessionStoreFault.Unreadable,
        PostgresException server => Classify(server.InvariantSeverity, server.SqlState),
        _ => SessionStoreFault.Ambiguous,
    };

    /// <summary>The same for what a server answered.</summary>
    public static SessionStoreFault Classify(string severity, string sqlState) =>
        !string.Equals(severity, Error, StringComparison.Ordinal) || Doubtful.Contains(sqlState) ? SessionStoreFault.Ambiguous
        : Array.Exists(Damages, kind => sqlState.StartsWith(kind, StringComparison.Ordinal)) ? SessionStoreFault.Unreadable
        : SessionStoreFault.NotApplied;

    /// <summary>
    /// A commit that waits for a standby and is cancelled, by an operator or by the client's own time limit, is answered as done, with this warning before it. No statement of ours is warned of anything else.
    /// </summary>
    public static bool IsDoubt(PostgresNotice notice) => notice is { InvariantSeverity: "WARNING", SqlState: PostgresErrorCodes.Warning };

    /// <summary>Whether the tables are not there, or not as they were when this was last looked at.</summary>
    public static bool IsMissingSchema(Exception exception) => exception is PostgresException server && Missing.Contains(server.SqlState);

    /// <summary>Whether the connection leads to a server that takes no writes (any more).</summary>
    public static bool IsReadOnly(Exception exception) => exception is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction };

    /// <summary>Whether the server is there and does not let this app in.</summary>
    public static bool IsRefusedLogin(Exception? exception) => exception switch
    {
        null => false,
        PostgresException server => server.SqlState.StartsWith("28", StringComparison.Ordinal) || server.SqlState is PostgresErrorCodes.InvalidCatalogName,
        _ => IsRefusedLogin(exception.InnerException),
    };

    /// <summary>One sentence for our own exception. What a server or client says may quote keys, so only the code of it is repeated.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        PostgresNotReadyException or PostgresRowException or PostgresDoubtException => exception.Message,
        _ when IsReadOnly(exception) => "PostgreSQL takes no writes on this server: it is a standby, or was made read-only.",
        PostgresException server => $"PostgreSQL refused the call ({server.SqlState}).",
        NpgsqlException { InnerException: TimeoutException } => "PostgreSQL did not answer within the command's time limit.",
        NpgsqlException => "The connection to PostgreSQL failed.",
        _ => $"The call to PostgreSQL failed ({exception.GetType().Name}).",
    };
}
