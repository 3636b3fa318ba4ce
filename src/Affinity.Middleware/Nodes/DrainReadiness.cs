namespace Affinity.Nodes;

/// <summary>What the ready path answers while the node drains and still serves; what a balancer makes of it differs.</summary>
public enum DrainReadiness
{
    /// <summary>503. The default: balancers send nobody any more, bound visitors included, and those come to another node.</summary>
    ServiceUnavailable,

    /// <summary>404, for HAProxy's <c>http-check disable-on-404</c>: bound visitors still come until they are named another node, new ones do not. Others take it for 503.</summary>
    NotFound,

    /// <summary>200 with <c>x-envoy-degraded: true</c>, for Envoy: new visitors come only when no healthy node is left. Others would go on sending new visitors.</summary>
    EnvoyDegraded,
}
