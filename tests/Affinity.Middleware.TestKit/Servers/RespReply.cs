namespace Affinity.TestKit;

/// <summary>A reply of the Redis protocol, version 2. Nil has neither text nor items.</summary>
public sealed record RespReply(string? Text, IReadOnlyList<RespReply>? Items = null)
{
    /// <summary>Whether the server said that there is nothing.</summary>
    public bool IsNil => Text is null && Items is null;

    /// <inheritdoc/>
    public override string ToString() => Items is null ? Text ?? "(nil)" : "[" + string.Join(", ", Items) + "]";
}
