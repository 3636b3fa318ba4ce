using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Affinity.Nodes;

/// <summary>
/// What the app's own health endpoint learns of Affinity: degraded while the node directory does not answer, or settings differ between nodes. Never unhealthy: whether a node takes visitors is said by the ready path, and neither is a reason to
/// take it out.
/// </summary>
internal sealed class FarmHealthCheck(NodeHealth health) : IHealthCheck
{
    public const string Name = "affinity";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(health.Ready().Degraded is { } why ? HealthCheckResult.Degraded(why) : HealthCheckResult.Healthy());
}
