using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>A node that a route cookie can lead to.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Address">Its address as the balancer dials it, <c>10.1.1.100:8080</c>; null when not given.</param>
public readonly record struct RouteTarget(NodeId Node, string? Address = null);
