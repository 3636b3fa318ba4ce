namespace Affinity.Nodes;

/// <summary>What a draining node does with requests of visitors who are not bound to a node, as long as another node takes visitors.</summary>
public enum UnboundRequests
{
    /// <summary>Serves them, and the response names another node, session or not. The default: needs no feature of the balancer. These responses carry a cookie.</summary>
    Rebind,

    /// <summary>Serves them and binds nobody: the balancer chooses anew each time. For balancers that notice a drain themselves.</summary>
    Serve,

    /// <summary>Answers 503 before the app runs. Only for balancers that try another node on 503; behind any other, visitors see the error.</summary>
    Refuse,
}

/// <summary>How a node leaves when it is told to stop (SIGTERM): section <c>Affinity:Drain</c>.</summary>
public sealed class DrainOptions
{
    /// <summary>
    /// How long the node goes on serving after readiness has said no, so that balancers notice. Should be longer than the balancer's health interval times its failures.
    /// Skipped when no other node lives. 0 to 10 minutes; 3 seconds by default.
    /// </summary>
    public TimeSpan Notice { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How long requests in flight may take to finish after that. 0 to 1 hour; 20 seconds by default.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>What happens to requests of visitors who are not bound to a node. They are served and sent to another node by default.</summary>
    public UnboundRequests UnboundRequests { get; set; } = UnboundRequests.Rebind;
}
