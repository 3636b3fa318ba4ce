namespace Affinity.Sessions;

/// <summary>Why a session can no longer be saved.</summary>
public enum SessionEnding
{
    /// <summary>It was abandoned (log-out) while this request ran.</summary>
    Abandoned,

    /// <summary>Its generation was raised (sign-in) since the visitor's ticket was issued.</summary>
    Superseded,

    /// <summary>The store no longer has it: it expired while this request ran, or the store lost it.</summary>
    Lost,

    /// <summary>The store has lost what the visitor was answered, and has an older or another state, or nothing; with <see cref="LostWritePolicy.Fail"/> the first request that uses the session says so. The next one goes on with what there is.</summary>
    LostWrites,
}

/// <summary>
/// A request wanted to save to a session that ended meanwhile. Nothing was saved, the session does not come back and neither does its cookie.
/// Unless the app handles it, the response is 409.
/// </summary>
public sealed class SessionEndedException : Exception
{
    /// <summary>Abandoned.</summary>
    public SessionEndedException()
        : this(SessionEnding.Abandoned)
    {
    }

    /// <summary>Abandoned, with a message of the caller's.</summary>
    public SessionEndedException(string message)
        : base(message)
    {
    }

    /// <summary>Abandoned, with a message and a cause.</summary>
    public SessionEndedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>With the reason.</summary>
    public SessionEndedException(SessionEnding ending)
        : base(ending switch
        {
            SessionEnding.Abandoned => "The session was abandoned while this request ran; its changes are refused.",
            SessionEnding.Superseded => "The session was renewed at sign-in after this request's ticket was issued; its changes are refused.",
            SessionEnding.Lost => "The store no longer has this session (expired, evicted or lost); its changes cannot be saved.",
            SessionEnding.LostWrites => "The store has lost changes of this session that had been saved and answered; this request is refused, and the next one goes on with what is left.",
            _ => throw new ArgumentOutOfRangeException(nameof(ending)),
        }) => Ending = ending;

    /// <summary>Why it can no longer be saved.</summary>
    public SessionEnding Ending { get; }
}
