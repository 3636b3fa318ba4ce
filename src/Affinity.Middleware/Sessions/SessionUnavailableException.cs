namespace Affinity.Sessions;

/// <summary>
/// The visitor has a session, or needs one, and it cannot be reached just now: the store is away, or the keys to verify the ticket are.
/// Never means that there is no session. Unless the app handles it, the response is 503 with <c>Retry-After</c>.
/// </summary>
public sealed class SessionUnavailableException : Exception
{
    /// <summary>Without a cause.</summary>
    public SessionUnavailableException()
        : this("The session cannot be reached just now.")
    {
    }

    /// <summary>With a message of the caller's.</summary>
    public SessionUnavailableException(string message)
        : base(message)
    {
    }

    /// <summary>With its cause.</summary>
    public SessionUnavailableException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }
}
