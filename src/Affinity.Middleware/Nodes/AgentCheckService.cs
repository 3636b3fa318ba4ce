using System.Net;
using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Nodes;

/// <summary>
/// Answers HAProxy's <c>agent-check</c> from before the server takes requests until after it has stopped: in between there is no moment at which HAProxy would hear nothing and go on with what it was told before.
/// </summary>
internal sealed class AgentCheckService(AgentReport report, AgentCheckOptions options, TimeProvider time, ILogger<AgentCheckService> logger) : IHostedLifecycleService, IDisposable
{
    private readonly AgentCheckListener _listener = new(report.Now, time, logger);

    /// <exception cref="InvalidOperationException">The port cannot be had.</exception>
    public Task StartingAsync(CancellationToken cancellationToken)
    {
        if (options.Port is { } port)
        {
            _listener.Start(new IPEndPoint(IPAddress.Parse(options.Address), port));
            logger.AgentCheckListens(_listener.EndPoint!);
        }

        return Task.CompletedTask;
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        report.BeginServing();
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => _listener.StopAsync();

    public void Dispose() => _listener.Dispose();
}
