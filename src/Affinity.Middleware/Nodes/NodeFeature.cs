namespace Affinity.Nodes;

/// <summary>Which node serves this request. One instance per process, put on every request that is not a health request.</summary>
internal sealed record NodeFeature(NodeId Node);
