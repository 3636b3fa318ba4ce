using System.Diagnostics;
using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.Sessions;

/// <summary>How it is told that a change is not saved, whatever carries the session.</summary>
internal static class SessionRefusals
{
    /// <summary>The session has ended meanwhile.</summary>
    public static SessionEndedException Ended(SessionId id, SessionEnding ending, AffinityMetrics metrics, ILogger logger)
    {
        if (logger.IsEnabled(LogLevel.Information))
        {
            logger.SessionSaveRefused(id.ToFingerprint(), ending.ToString());
        }

        metrics.SessionSaved(ending switch
        {
            SessionEnding.Abandoned => "ended",
            SessionEnding.Superseded => "superseded",
            SessionEnding.Lost => "lost",
            SessionEnding.LostWrites => "lost_writes",
            _ => throw new UnreachableException(),
        });
        return new SessionEndedException(ending);
    }

    /// <summary>It would be larger than it may be.</summary>
    public static void TooLarge(SessionId id, SessionTooLargeException fault, AffinityMetrics metrics, ILogger logger)
    {
        logger.SessionTooLarge(id.ToFingerprint(), fault.Size, fault.Measure, fault.Limit);
        metrics.SessionSaved("too_large");
    }

    /// <summary>The handler that made the change has thrown.</summary>
    public static void Dropped(Exception failure, ILogger logger)
    {
        if (logger.IsEnabled(LogLevel.Debug))
        {
            logger.SessionChangesDropped(failure.GetType().Name);
        }
    }
}
