using System.Collections.Frozen;
using Affinity.Sessions;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>Tells from an exception of the client whether the call may have taken effect. When in doubt: ambiguous.</summary>
internal static class RedisFaults
{
    /// <summary>
    /// With these a server refuses a command before it changes anything. A script is refused as a whole: it checks its arguments before its first
    /// write, and these conditions are checked at the first write and not after it.
    /// </summary>
    private static readonly FrozenSet<string> Refusals = FrozenSet.ToFrozenSet(
        [
            "LOADING", "READONLY", "MOVED", "ASK", "CLUSTERDOWN", "NOREPLICAS", "OOM", "MISCONF", "BUSY", "NOSCRIPT", "TRYAGAIN", "MASTERDOWN",
            "NOAUTH", "BADARGUMENTS",
        ],
        StringComparer.Ordinal);

    private static readonly FrozenSet<string> Damages = FrozenSet.ToFrozenSet(["WRONGTYPE"], StringComparer.Ordinal);

    public static SessionStoreFault Classify(Exception exception) => exception switch
    {
        _ when IsRedirection(exception) => SessionStoreFault.NotApplied,
        RedisServerException server => ClassifyReply(server.Message),
        RedisConnectionException connection => ClassifyFailure(connection.FailureType),

        // Thrown by the client itself instead of sending, for example to a known replica.
        RedisCommandException or RedisNotConnectedException or ObjectDisposedException => SessionStoreFault.NotApplied,
        RedisReplyException => SessionStoreFault.Unreadable,
        _ => SessionStoreFault.Ambiguous,
    };

    /// <summary>The same for the text of an error reply.</summary>
    public static SessionStoreFault ClassifyReply(string message) =>
        Find(message, Refusals) is not null ? SessionStoreFault.NotApplied
        : Find(message, Damages) is not null ? SessionStoreFault.Unreadable
        : SessionStoreFault.Ambiguous;

    /// <summary>The same for a failed connection: the client uses one reason, and that only, for a command which it has not begun to send.</summary>
    public static SessionStoreFault ClassifyFailure(ConnectionFailureType failure) =>
        failure == ConnectionFailureType.UnableToResolvePhysicalConnection ? SessionStoreFault.NotApplied : SessionStoreFault.Ambiguous;

    /// <summary>Whether the client had no connection to send the call over.</summary>
    public static bool LacksConnection(Exception exception) => exception is RedisConnectionException { FailureType: ConnectionFailureType.UnableToResolvePhysicalConnection };

    /// <summary>One sentence for our own exception. What a server or client says may quote keys, so only the code of it is repeated.</summary>
    public static string Describe(Exception exception) => exception switch
    {
        _ when IsRedirection(exception) => "The server that the Redis Cluster names for the key cannot be reached.",
        _ when IsRefusedLogin(exception) => "Redis refuses the user or password of the connection string, or asks for one that it does not have.",
        RedisServerException server => $"Redis refused the call ({CodeOf(server.Message)}).",
        RedisConnectionException connection => $"The connection to Redis failed ({connection.FailureType}).",
        RedisNotConnectedException or RedisReplyException or RedisRepliesMixedUpException => exception.Message,
        _ => $"The call to Redis failed ({exception.GetType().Name}).",
    };

    /// <summary>Whether a cluster sent the call to another server, and the client did not get it there: nothing has been done, and the client may have learnt the way.</summary>
    public static bool IsRedirection(Exception exception) => exception is RedisServerException or RedisConnectionException && IsRedirection(exception.Message);

    /// <summary>The same by the text, which is the client's own, in two forms, when it does not follow; 2.x leaves the details out by default.</summary>
    public static bool IsRedirection(string message) =>
        message.StartsWith("Key has MOVED", StringComparison.Ordinal)
        || (message.StartsWith("Endpoint ", StringComparison.Ordinal) && message.Contains("is not reachable at this point of time", StringComparison.Ordinal));

    /// <summary>Whether the server is there and does not let this app in.</summary>
    public static bool IsRefusedLogin(Exception? exception) => exception switch
    {
        null => false,
        RedisConnectionException { FailureType: ConnectionFailureType.AuthenticationFailure } => true,
        RedisServerException server => server.Message.StartsWith("NOAUTH", StringComparison.Ordinal),
        _ => IsRefusedLogin(exception.InnerException),
    };

    /// <summary>The code of an error reply as far as it is known here: nothing that could quote a key.</summary>
    public static string CodeOf(string message) => Find(message, Refusals) ?? Find(message, Damages) ?? "ERR";

    public static bool IsUnknownScript(RedisServerException exception) => exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    /// <summary>
    /// Redis 7 puts the code first; Redis 6 and Garnet wrap what a script met: <c>ERR Error running script …: -READONLY …</c>,
    /// <c>ERR Lua encountered an error: WRONGTYPE …</c>.
    /// </summary>
    private static string? Find(string message, FrozenSet<string> codes)
    {
        if (!message.StartsWith("ERR ", StringComparison.Ordinal))
        {
            var end = message.IndexOf(' ', StringComparison.Ordinal);
            var code = end < 0 ? message : message[..end];
            return codes.Contains(code) ? code : null;
        }

        return message.Split(' ').Select(word => word.TrimStart('-')).FirstOrDefault(codes.Contains);
    }
}
