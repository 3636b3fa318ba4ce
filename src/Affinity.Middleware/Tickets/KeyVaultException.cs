namespace Affinity.Tickets;

/// <summary>The key vault could not be asked: it is away, too slow, or refused the call.</summary>
public sealed class KeyVaultException : Exception
{
    /// <summary>A fault without a message.</summary>
    public KeyVaultException()
    {
    }

    /// <summary>A fault with a message that names no secret.</summary>
    public KeyVaultException(string message)
        : base(message)
    {
    }

    /// <summary>A fault with its cause.</summary>
    public KeyVaultException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
