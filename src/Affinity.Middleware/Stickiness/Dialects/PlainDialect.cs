using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary><c>node-a</c></summary>
internal sealed class PlainDialect : IAffinityDialect
{
    public bool Steers => true;

    public bool NeedsAddress => false;

    public string Write(RouteTarget target, string token) => target.Node.Value;

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => ReadName(value, live);

    /// <summary>A text that is a node's name and nothing else. Most often it is this node's own, the first of <paramref name="live"/>, whose name is there already.</summary>
    public static RouteReading ReadName(ReadOnlySpan<char> text, IReadOnlyList<RouteTarget> live) =>
        live.Count > 0 && text.SequenceEqual(live[0].Node.Value) ? RouteReading.Named(live[0].Node)
        : text.Length <= NodeId.MaxLength && NodeId.TryParse(text.ToString(), out var node) ? RouteReading.Named(node) : RouteReading.Unrecognised;
}
