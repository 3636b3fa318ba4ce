using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary><c>node-a</c></summary>
internal sealed class PlainDialect : IAffinityDialect
{
    public bool Steers => true;

    public bool NeedsAddress => false;

    public string Write(RouteTarget target, string token) => target.Node.Value;

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => ReadName(value);

    /// <summary>A text that is a node's name and nothing else.</summary>
    public static RouteReading ReadName(ReadOnlySpan<char> text) =>
        text.Length <= NodeId.MaxLength && NodeId.TryParse(text.ToString(), out var node) ? RouteReading.Named(node) : RouteReading.Unrecognised;
}
