namespace Affinity.Nodes;

/// <summary>How a node leaves, when it is told to stop (SIGTERM) or by command: section <c>Affinity:Drain</c>.</summary>
public sealed class DrainOptions
{
    /// <summary>
    /// The first part: readiness says no, so that balancers notice; visitors without a binding are sent to another node, bound ones stay. Should be longer than the balancer's health interval times its failures.
    /// Skipped when no other node takes visitors, as the store's node directory knows; where sessions are shared without such a directory it is always kept. 0 to 10 minutes; 3 seconds by default.
    /// </summary>
    public TimeSpan Notice { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The second part: bound visitors are served, and the response sends them to another node from then on. Whoever makes no request in this time moves when the balancer finds the node gone, and loses nothing either.
    /// Skipped when no other node is known to take visitors, or nobody is bound: no visitor with a session is, and those without one cannot be. 0 to 1 hour; 5 seconds by default.
    /// </summary>
    public TimeSpan Evacuation { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the requests that are in flight after that may take to finish; the server itself finishes those that begin later. 0 to 1 hour; 15 seconds by default.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What happens to visitors without a binding meanwhile. They are served and sent to another node, by default.</summary>
    public UnboundRequests UnboundRequests { get; set; } = UnboundRequests.Rebind;

    /// <summary>What the ready path answers meanwhile. 503 by default.</summary>
    public DrainReadiness Readiness { get; set; } = DrainReadiness.ServiceUnavailable;
}
