namespace Affinity.Sessions;

/// <summary>Whether a failed call may have taken effect.</summary>
public enum SessionStoreFault
{
    /// <summary>It is known that nothing was written: the store refused, or was not reached. May be tried again.</summary>
    NotApplied,

    /// <summary>A time-out or a lost connection: it may have been written or may yet be. Give the same write again to learn.</summary>
    Ambiguous,

    /// <summary>What the store holds cannot be read: damaged, or written by a newer version. Trying again does not help here.</summary>
    Unreadable,
}

/// <summary>The session store could not do what was asked. Never means "there is no such session".</summary>
public sealed class SessionStoreException : Exception
{
    /// <summary>A fault whose effect is unknown.</summary>
    public SessionStoreException()
        : this("The session store failed.")
    {
    }

    /// <summary>A fault whose effect is unknown.</summary>
    public SessionStoreException(string message)
        : this(SessionStoreFault.Ambiguous, message)
    {
    }

    /// <summary>A fault whose effect is unknown, with its cause.</summary>
    public SessionStoreException(string message, Exception innerException)
        : this(SessionStoreFault.Ambiguous, message, innerException)
    {
    }

    /// <summary>A fault.</summary>
    public SessionStoreException(SessionStoreFault fault, string message, Exception? innerException = null)
        : base(message, innerException) => Fault = fault;

    /// <summary>Whether the call may have taken effect.</summary>
    public SessionStoreFault Fault { get; }

    /// <summary>Whether the time ran out because others wrote, or were to write, the same session: the store answered and is not away.</summary>
    internal bool IsContention { get; init; }
}
