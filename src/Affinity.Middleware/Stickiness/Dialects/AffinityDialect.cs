namespace Affinity.Stickiness;

/// <summary>How the route cookie's value is written, so that the balancer in front understands it. Each balancer's own is in docs/balancers.md.</summary>
public enum AffinityDialect
{
    /// <summary>The node's name: <c>node-a</c>. The default; every balancer that one configures oneself can be told to obey it.</summary>
    Plain,

    /// <summary>A random token, a dot and the node's name: <c>token.node-a</c>. Apache's own form.</summary>
    Suffix,

    /// <summary>The node's name, a bar and a token: <c>node-a|token</c>. HAProxy's own form.</summary>
    Tagged,

    /// <summary>Base64 of a protobuf message with the node's address as the balancer dials it. Envoy's own form; needs the node's address.</summary>
    EnvoyAddress,

    /// <summary>A random value that names no node, for balancers that hash or learn the cookie: a visitor is moved by another value, not to a certain node.</summary>
    Opaque,
}
