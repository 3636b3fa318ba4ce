namespace Affinity.Nodes;

/// <summary>Where operators ask and command, once the app has mapped it: the node itself answers there, also when it drains and sends visitors away.</summary>
internal static class NodePaths
{
    public const string Nodes = "/affinity/nodes";
    public const string Inspect = "/affinity/inspect";
    public const string Store = "/affinity/store";

    public static readonly string[] All = [Nodes, Inspect, Store];
}
