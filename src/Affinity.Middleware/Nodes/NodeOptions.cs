namespace Affinity.Nodes;

/// <summary>Who this instance is and how the others learn of it: section <c>Affinity:Node</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>The name of this instance: 1 to 32 characters of <c>A-Z a-z 0-9 _ -</c>, unique among the live nodes. Null (the default): made from the host name.</summary>
    public string? Id { get; set; }

    /// <summary>
    /// This node's host and port as the balancer dials them, such as <c>10.1.1.100:8080</c> or <c>[fd00::1]:8080</c>: 1 to 127 visible ASCII characters. Only for balancers whose cookie is made of it
    /// (<c>Affinity:Stickiness:Dialect</c> <c>EnvoyAddress</c> and computed ones). Null by default.
    /// </summary>
    public string? Address { get; set; }

    /// <summary>
    /// The version of the app that this node runs, such as <c>blue</c>; letters and length as in a node's name. Visitors stay on the version that they started with (<c>Affinity:Stickiness:TrackDuration</c>).
    /// Null by default: there is one version only.
    /// </summary>
    public string? Track { get; set; }

    /// <summary>A response header that names the node which answered, for example <c>X-Affinity-Node</c>. Null (the default): none.</summary>
    public string? ResponseHeader { get; set; }

    /// <summary>How often the node says that it lives. 200 ms to 1 minute; 1 second by default.</summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>A node that has not been heard of for this long is dead. At least 3 heartbeats, at most 10 minutes; 5 seconds by default.</summary>
    public TimeSpan DeadAfter { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Below this path stand <c>/live</c> and <c>/ready</c>. Starts with a slash and does not end with one; <c>/affinity/health</c> by default.</summary>
    public string HealthPath { get; set; } = "/affinity/health";

    /// <summary>What the store's node directory can tell of other nodes.</summary>
    internal PeerSight Sight { get; set; }

    /// <summary>How long one call of the node directory may take.</summary>
    internal TimeSpan CallLimit => HeartbeatInterval < TimeSpan.FromSeconds(1) ? HeartbeatInterval : TimeSpan.FromSeconds(1);
}
