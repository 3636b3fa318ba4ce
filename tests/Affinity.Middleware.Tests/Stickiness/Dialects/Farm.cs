using Affinity.Nodes;
using Affinity.Stickiness;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Tests.Stickiness;

/// <summary>Three nodes, and every dialect.</summary>
internal static class Farm
{
    public const string Token = "0123456789abcdeF";

    public static readonly RouteTarget A = new(NodeId.Parse("node-a"), "10.1.1.100:8080");
    public static readonly RouteTarget B = new(NodeId.Parse("Node_B"), "127.0.0.1:28401");
    public static readonly RouteTarget C = new(NodeId.Parse("c"), "[::1]:8080");

    public static readonly IReadOnlyList<RouteTarget> Live = [A, B, C];

    public static readonly IReadOnlyDictionary<string, IAffinityDialect> Dialects = new Dictionary<string, IAffinityDialect>(StringComparer.Ordinal)
    {
        ["Plain"] = BuiltInDialects.Of(AffinityDialect.Plain),
        ["Suffix"] = BuiltInDialects.Of(AffinityDialect.Suffix),
        ["Tagged"] = BuiltInDialects.Of(AffinityDialect.Tagged),
        ["EnvoyAddress"] = BuiltInDialects.Of(AffinityDialect.EnvoyAddress),
        ["Opaque"] = BuiltInDialects.Of(AffinityDialect.Opaque),
        ["Caddy"] = ComputedDialect.CaddyCookie("s3cret"),
        ["nginx"] = ComputedDialect.NginxStickyCookie(),
        ["Traefik"] = ComputedDialect.TraefikCookie(),
        ["ARR"] = ComputedDialect.ArrCookie(),
    };

    /// <summary>As requests call it.</summary>
    public static GuardedDialect Guarded(IAffinityDialect dialect) => new(dialect, NullLogger<GuardedDialect>.Instance);

    /// <summary>The named node; "absent" or "unrecognised" where there is none.</summary>
    public static string Said(RouteReading reading) => reading.Kind switch
    {
        RouteReadingKind.Absent => "absent",
        RouteReadingKind.Named => reading.Node!.Value.Value,
        _ => "unrecognised",
    };
}
