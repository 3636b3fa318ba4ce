namespace Affinity.Nodes;

/// <summary>One node as the directory shows it.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Incarnation">Random per process start: tells a restarted node from its former life, and two nodes of one name apart.</param>
/// <param name="State">Whether it takes new visitors.</param>
/// <param name="InFlight">How many requests it is serving.</param>
public sealed record NodeRecord(NodeId Id, Guid Incarnation, NodeState State, int InFlight);
