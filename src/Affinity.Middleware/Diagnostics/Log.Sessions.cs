using Microsoft.Extensions.Logging;

namespace Affinity.Diagnostics;

internal static partial class Log
{
    [LoggerMessage(EventId = 4000, EventName = "SessionLoadFailed", Level = LogLevel.Warning,
        Message = "Session {Session} could not be loaded ({Fault}): {Why} The visitor keeps the ticket. The request is served what this node remembers, if anything and if Affinity:Sessions:OnStoreAway says so, or gets 503 when it needs the session.")]
    public static partial void SessionLoadFailed(this ILogger logger, string session, string fault, string why);

    [LoggerMessage(EventId = 4001, EventName = "SessionUnreadable", Level = LogLevel.Error,
        Message = "Session {Session} is stored in a form that this version of Affinity cannot read: damaged, or written by a newer version. It is left untouched, and requests that need it get 503. Told once per session.")]
    public static partial void SessionUnreadable(this ILogger logger, string session);

    [LoggerMessage(EventId = 4002, EventName = "SessionLost", Level = LogLevel.Warning,
        Message = "Session {Session} should be in the store until {IdleUntil:u} and is not, and no other node has given it back ({Asked}): the store was emptied, evicted it, or failed over without it ({Evidence}).")]
    public static partial void SessionLost(this ILogger logger, string session, DateTimeOffset idleUntil, string asked, string evidence);

    [LoggerMessage(EventId = 4003, EventName = "SessionBehind", Level = LogLevel.Warning,
        Message = "Session {Session} is {Stored} in the store, but the visitor has seen {Seen}: the store lost acknowledged writes (fail-over, restart without persistence), and no other node has given them back ({Asked}; {Evidence}).")]
    public static partial void SessionBehind(this ILogger logger, string session, string stored, string seen, string asked, string evidence);

    [LoggerMessage(EventId = 4005, EventName = "SessionDiverged", Level = LogLevel.Warning,
        Message = "Session {Session} is {Stored} in the store, which did not come of what the visitor has seen, {Seen}: the store lost acknowledged writes and others have been made in their place ({Evidence}).")]
    public static partial void SessionDiverged(this ILogger logger, string session, string stored, string seen, string evidence);

    [LoggerMessage(EventId = 4006, EventName = "SessionsWrittenBack", Level = LogLevel.Warning,
        Message = "The session store may have lost data ({Why}; {Evidence}). Of {Remembered} sessions that this node remembers {WrittenBack} were missing or older there and have been written back, {Refused} could not be.")]
    public static partial void SessionsWrittenBack(this ILogger logger, string why, string evidence, int remembered, int writtenBack, int refused);

    [LoggerMessage(EventId = 4007, EventName = "SessionsChecked", Level = LogLevel.Information,
        Message = "The session store might have lost data ({Why}; {Evidence}), and holds all {Remembered} sessions that this node remembers.")]
    public static partial void SessionsChecked(this ILogger logger, string why, string evidence, int remembered);

    [LoggerMessage(EventId = 4008, EventName = "SessionWrittenBack", Level = LogLevel.Debug, Message = "Session {Session}: the store had {Stored}, this node has given it {Version} back.")]
    public static partial void SessionWrittenBack(this ILogger logger, string session, string stored, string version);

    [LoggerMessage(EventId = 4009, EventName = "SessionNotWrittenBack", Level = LogLevel.Warning,
        Message = "Session {Session}: the store has {Stored}, this node remembers {Version} and could not give it back: {Why} It is served from memory and tried again.")]
    public static partial void SessionNotWrittenBack(this ILogger logger, string session, string stored, string version, string why);

    [LoggerMessage(EventId = 4004, EventName = "SessionSuperseded", Level = LogLevel.Debug,
        Message = "Session {Session}: a ticket of generation {Seen} is refused, the session was renewed at sign-in and has generation {Stored}.")]
    public static partial void SessionSuperseded(this ILogger logger, string session, int seen, int stored);

    [LoggerMessage(EventId = 4010, EventName = "SessionSaveFailed", Level = LogLevel.Error,
        Message = "Session {Session} could not be saved ({Fault}): {Why} The request is answered with an error, never as if it had been saved.")]
    public static partial void SessionSaveFailed(this ILogger logger, string session, string fault, string why);

    [LoggerMessage(EventId = 4011, EventName = "SessionSaveRefused", Level = LogLevel.Information,
        Message = "Session {Session}: changes of a slow request are refused, the session has ended meanwhile ({Ending}).")]
    public static partial void SessionSaveRefused(this ILogger logger, string session, string ending);

    [LoggerMessage(EventId = 4012, EventName = "SessionChangesDropped", Level = LogLevel.Debug,
        Message = "The request failed with {Exception}, so its session changes are not saved.")]
    public static partial void SessionChangesDropped(this ILogger logger, string exception);

    [LoggerMessage(EventId = 4013, EventName = "SessionTooLarge", Level = LogLevel.Error,
        Message = "Session {Session} would take {Size} {Measure}, {Limit} are allowed; nothing was saved and the request is answered with an error.")]
    public static partial void SessionTooLarge(this ILogger logger, string session, long size, string measure, int limit);

    [LoggerMessage(EventId = 4014, EventName = "SessionContended", Level = LogLevel.Debug, Message = "Session {Session}: {Why}")]
    public static partial void SessionContended(this ILogger logger, string session, string why);

    [LoggerMessage(EventId = 4020, EventName = "SessionAbandoned", Level = LogLevel.Debug, Message = "Session {Session} was abandoned.")]
    public static partial void SessionAbandoned(this ILogger logger, string session);

    [LoggerMessage(EventId = 4030, EventName = "SessionStoreCircuitOpened", Level = LogLevel.Error,
        Message = "The session store keeps failing on {Operation}; it is not asked for {Pause} and calls fail at once: {Why}")]
    public static partial void SessionStoreCircuitOpened(this ILogger logger, string operation, TimeSpan pause, string why);

    [LoggerMessage(EventId = 4031, EventName = "SessionStoreCircuitClosed", Level = LogLevel.Warning, Message = "The session store answers again on {Operation}.")]
    public static partial void SessionStoreCircuitClosed(this ILogger logger, string operation);

    [LoggerMessage(EventId = 4050, EventName = "SessionJournalBegun", Level = LogLevel.Warning,
        Message = "The session store cannot be reached ({Why}), so changes ride in the visitors' cookies from now on, and remembered sessions are served whatever their age. Nothing is lost; look at the store. Told once per outage.")]
    public static partial void SessionJournalBegun(this ILogger logger, string why);

    [LoggerMessage(EventId = 4051, EventName = "SessionJournalEnded", Level = LogLevel.Warning,
        Message = "The session store takes changes again. {Count} changes went into visitors' cookies meanwhile; each is told to the store with the next request of its visitor, on whichever node.")]
    public static partial void SessionJournalEnded(this ILogger logger, long count);

    [LoggerMessage(EventId = 4052, EventName = "SessionJournalFull", Level = LogLevel.Error,
        Message = "The store is away and a change of session {Session} has no room in the visitor's cookie ({Size} bytes sealed, {Limit} are left by Affinity:Ticket:MaxBytes): the request is answered with an error and nothing of it is kept. What the cookie held stays in it.")]
    public static partial void SessionJournalFull(this ILogger logger, string session, long size, int limit);

    [LoggerMessage(EventId = 4053, EventName = "SessionJournalDropped", Level = LogLevel.Information,
        Message = "Session {Session}: {Count} entries of the visitor's journal are dropped, as the session is over or somebody has signed in since ({Ending}).")]
    public static partial void SessionJournalDropped(this ILogger logger, string session, int count, string ending);

    [LoggerMessage(EventId = 4054, EventName = "SessionJournalStale", Level = LogLevel.Warning,
        Message = "Session {Session}: more than {Writes} writes have come since an entry of the visitor's journal, so it cannot be told whether that has arrived. It is left out and told to the app as lost.")]
    public static partial void SessionJournalStale(this ILogger logger, string session, int writes);

    [LoggerMessage(EventId = 4055, EventName = "SessionJournalDamaged", Level = LogLevel.Error,
        Message = "Session {Session}: the journal in a genuine ticket cannot be read. The Data Protection keys were replaced by others, or one of the apps that share the secret is another one. The visitor is served as one whose session is lost.")]
    public static partial void SessionJournalDamaged(this ILogger logger, string session);

    [LoggerMessage(EventId = 4056, EventName = "SessionJournalUnopened", Level = LogLevel.Warning,
        Message = "Session {Session}: the visitor's journal cannot be opened here, as its Data Protection key is not known or a newer version has written it. The visitor keeps the ticket; a request that needs the session gets 503. Look whether this node reaches the key vault.")]
    public static partial void SessionJournalUnopened(this ILogger logger, string session);

    [LoggerMessage(EventId = 4060, EventName = "SessionContentDamaged", Level = LogLevel.Error,
        Message = "Session {Session}: the session in a genuine ticket cannot be read. The Data Protection keys were replaced by others, Affinity:Sessions:Cookie:Protection was raised, or one of the apps that share the secret is another one. The visitor is served as one without a session.")]
    public static partial void SessionContentDamaged(this ILogger logger, string session);

    [LoggerMessage(EventId = 4061, EventName = "SessionContentUnopened", Level = LogLevel.Warning,
        Message = "Session {Session}: the session in the visitor's ticket cannot be opened here, as its Data Protection key is not known. The visitor keeps the ticket; a request that needs the session gets 503. All instances must share the Data Protection keys.")]
    public static partial void SessionContentUnopened(this ILogger logger, string session);

    [LoggerMessage(EventId = 4062, EventName = "SessionBelowFloor", Level = LogLevel.Debug,
        Message = "Session {Session}: a ticket of version {Seen} is refused, the newest is {Newest}: it was copied, or sent before the newest one had arrived.")]
    public static partial void SessionBelowFloor(this ILogger logger, string session, string seen, string newest);

    [LoggerMessage(EventId = 4063, EventName = "SessionFloorNotRaised", Level = LogLevel.Warning,
        Message = "Session {Session}: it is not known whether the store was told of the newest version ({Why}). The visitor has it; until the next save an older ticket may count too.")]
    public static partial void SessionFloorNotRaised(this ILogger logger, string session, string why);

    [LoggerMessage(EventId = 4080, EventName = "FrameworkSessionAdopted", Level = LogLevel.Debug, Message = "Session {Session} begins with the {Items} items of the visitor's session of the framework's.")]
    public static partial void FrameworkSessionAdopted(this ILogger logger, string session, int items);

    [LoggerMessage(EventId = 4081, EventName = "FrameworkSessionUnreadable", Level = LogLevel.Debug,
        Message = "A session of the framework's was not taken over: {What} cannot be read. If that happens to all visitors, this instance has other Data Protection keys or another application name than those that made it.")]
    public static partial void FrameworkSessionUnreadable(this ILogger logger, string what);

    [LoggerMessage(EventId = 4082, EventName = "FrameworkSessionTooLarge", Level = LogLevel.Warning,
        Message = "Session {Session} was not taken over from the framework: it has {Size} bytes, {Limit} are allowed. Raise Affinity:Sessions:MaxBytes.")]
    public static partial void FrameworkSessionTooLarge(this ILogger logger, string session, long size, int limit);

    [LoggerMessage(EventId = 4040, EventName = "SessionTouchFailed", Level = LogLevel.Debug, Message = "The idle time of a session could not be slid: {Why}")]
    public static partial void SessionTouchFailed(this ILogger logger, string why);
}
