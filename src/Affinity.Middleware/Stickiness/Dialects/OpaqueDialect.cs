namespace Affinity.Stickiness;

/// <summary>A random value that says nothing to this app, for a balancer that hashes the cookie: it is rolled again to move the visitor.</summary>
internal sealed class OpaqueDialect : IAffinityDialect
{
    public bool Steers => false;

    public bool NeedsAddress => false;

    public string Write(RouteTarget target, string token) => token;

    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live) => RouteReading.Unrecognised;
}
