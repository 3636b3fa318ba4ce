namespace Affinity.Nodes;

/// <summary>One node as the directory shows it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Incarnation">Random per process start: tells a restarted node from its former life, and two nodes of one name apart.</param>
/// <param name="State">Whether it takes new visitors.</param>
/// <param name="InFlight">How many requests it is serving.</param>
public sealed record NodeRecord(NodeId Id, Guid Incarnation, NodeState State, int InFlight)
{
    /// <summary>How many visitors with a session are bound to it, as far as it knows; zero or more.</summary>
    public int Bound { get; init; }

    /// <summary>Its address as the balancer dials it, <c>10.1.1.100:8080</c>, for balancers whose cookie is made of it; null when not given.</summary>
    public string? Address { get; init; }

    /// <summary>Whether it drains in order to stop; a drain by command can be taken back, this one cannot.</summary>
    public bool Stopping { get; init; }

    /// <summary>The version of the app that it runs, such as <c>blue</c>, for visitors who stay on the version that they started with; null when not given.</summary>
    public string? Track { get; init; }

    /// <summary>Up to which level it reads the forms of what nodes share: stored sessions, tickets, journals, key rings. 1 for a node that does not tell. Nobody writes a higher level than the lowest of those that live.</summary>
    public int FormatLevel { get; init; } = FormatRules.First;

    /// <summary>
    /// A fingerprint of the settings that all nodes must agree on: at most 1,024 characters of <c>A-Z a-z 0-9 _ -</c>, opaque to a directory, which keeps it as it is. It holds no value and no secret. Null for a node that does not tell.
    /// </summary>
    public string? Settings { get; init; }
}
