namespace Affinity.Nodes;

/// <summary>The node directory could not be asked: it is away, too slow, or refused the call.</summary>
public sealed class NodeDirectoryException : Exception
{
    /// <summary>A fault without a message.</summary>
    public NodeDirectoryException()
    {
    }

    /// <summary>A fault with a message that names no secret.</summary>
    public NodeDirectoryException(string message)
        : base(message)
    {
    }

    /// <summary>A fault with its cause.</summary>
    public NodeDirectoryException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
