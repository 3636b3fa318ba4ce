namespace Affinity.Nodes;

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
}
