namespace Affinity.Stickiness;

/// <summary><c>token.node-a</c>. Apache's mod_proxy_balancer takes the text behind the first dot, whatever stands before it, and no node without a dot.</summary>
internal sealed class SuffixDialect : IAffinityDialect
{
    private const char Separator = '.';

    public bool Steers => true;

    public bool NeedsAddress => false;

    public string Write(RouteTarget target, string token) => $"{token}{Separator}{target.Node.Value}";

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) =>
        value.Length <= IAffinityDialect.MaxValueLength && value.IndexOf(Separator) is >= 0 and var dot
            ? PlainDialect.ReadName(value[(dot + 1)..], live)
            : RouteReading.Unrecognised;
}
