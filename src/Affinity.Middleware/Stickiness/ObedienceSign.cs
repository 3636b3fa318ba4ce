namespace Affinity.Stickiness;

/// <summary>What one request says of whether the balancer obeys.</summary>
internal enum ObedienceSign
{
    /// <summary>Nothing: the visitor is bound to nowhere, or where they should have come is not known.</summary>
    Uncounted,

    /// <summary>The visitor came where they belong, or could not: their node is gone or drains.</summary>
    Obeyed,

    /// <summary>The cookie names another node, which lives.</summary>
    Ignored,

    /// <summary>A visitor whom the balancer binds by its own means came to another node, although theirs lives.</summary>
    Moved,

    /// <summary>The cookie did not arrive.</summary>
    Missing,

    /// <summary>The cookie arrived with a value that Affinity has not written.</summary>
    Replaced,

    /// <summary>The cookie names a node that nobody has ever seen.</summary>
    UnknownName,
}
