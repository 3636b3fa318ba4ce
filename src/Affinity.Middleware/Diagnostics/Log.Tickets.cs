using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 2000, EventName = "TicketNotAccepted", Level = LogLevel.Debug, Message = "A request's ticket was not accepted: {Reason}.")]
    internal static partial void TicketNotAccepted(this ILogger logger, string reason);

    [LoggerMessage(EventId = 2001, EventName = "TicketCookieInsecure", Level = LogLevel.Warning,
        Message = "Affinity:Ticket:InsecureAllowHttp is on: the session cookie travels without TLS, and anybody on the way can take over sessions. For development only.")]
    internal static partial void TicketCookieInsecure(this ILogger logger);

    [LoggerMessage(EventId = 2002, EventName = "ClocksDiffer", Level = LogLevel.Warning,
        Message = "A ticket of this app was issued more than {Tolerance} in the future: the clock of this node is behind, or that of another one ahead. It is accepted. Set the clocks right (NTP). Told once.")]
    internal static partial void ClocksDiffer(this ILogger logger, TimeSpan tolerance);

    [LoggerMessage(EventId = 2010, EventName = "SigningKeysInVault", Level = LogLevel.Information,
        Message = "Affinity:Secrets is not set: the keys that sign tickets lie in the key vault, so tickets cannot be verified after a start without the vault, "
            + "and whoever reads the vault can forge them. Better: give all nodes one secret (openssl rand -base64 32).")]
    internal static partial void SigningKeysInVault(this ILogger logger);

    [LoggerMessage(EventId = 2011, EventName = "SigningKeyAdded", Level = LogLevel.Information,
        Message = "Added signing key {KeyId} to the key vault; it signs from {ActivatesAt:u} on.")]
    internal static partial void SigningKeyAdded(this ILogger logger, string keyId, DateTimeOffset activatesAt);

    [LoggerMessage(EventId = 2012, EventName = "SigningKeyNotAdded", Level = LogLevel.Warning,
        Message = "A new signing key is due but could not be added to the key vault; known keys stay in use and it is tried again.")]
    internal static partial void SigningKeyNotAdded(this ILogger logger, Exception exception);
}
