namespace Affinity.Nodes;

/// <summary>A port on which HAProxy's <c>agent-check</c> asks whether this node takes visitors: section <c>Affinity:AgentCheck</c>.</summary>
public sealed class AgentCheckOptions
{
    /// <summary>The port; 1 to 65535, one of its own for each instance on a host. Null (the default): nothing listens.</summary>
    public int? Port { get; set; }

    /// <summary>
    /// The IP address of this machine to listen on: that of the interface which HAProxy reaches, or <c>0.0.0.0</c> or <c>::</c> for all. Whoever can connect learns whether this node takes visitors, and nothing else.
    /// <c>127.0.0.1</c> by default: a HAProxy on this machine only.
    /// </summary>
    public string Address { get; set; } = "127.0.0.1";

    /// <summary>
    /// Whether a node with more load than the others asks for fewer new visitors, as a percentage of its weight in HAProxy's configuration. Give the servers <c>weight 100</c> there first: HAProxy rounds down, so that with its
    /// default of 1 everything below 100 % is nobody at all. False by default: always 100 %.
    /// </summary>
    public bool Weight { get; set; }
}
