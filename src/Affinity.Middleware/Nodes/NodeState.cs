namespace Affinity.Nodes;

/// <summary>What a node tells the others about itself.</summary>
public enum NodeState
{
    /// <summary>Takes new visitors.</summary>
    Active,

    /// <summary>Serves the visitors it has, takes no new ones, and sends them to other nodes.</summary>
    Draining,

    /// <summary>Lives and has its name, and takes no visitors yet: its server does not listen, or something is missing that it needs to serve them.</summary>
    Starting,
}
