using Affinity.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Affinity.Tickets;

/// <summary>
/// What the stage does besides requests: says at start what weakens its promises, and looks after the keys in the vault. The start waits for the first
/// look, which is bounded, so that a node normally has its keys before its first request; with the vault away the app starts all the same.
/// </summary>
internal sealed class TicketService(ISigningKeys keys, TicketScope scope, TicketOptions options, TimeProvider time, ILogger<TicketService> logger) : BackgroundService
{
    /// <summary>How often the ring is read: often against <see cref="SigningRing.Propagation"/> and <see cref="SigningRing.SettlesIn"/>.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>How often while the node has no key at all.</summary>
    private static readonly TimeSpan UrgentInterval = TimeSpan.FromSeconds(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        if (options.InsecureAllowHttp)
        {
            logger.TicketCookieInsecure();
        }

        if (keys is VaultSigningKeys vault)
        {
            if (scope.IsShared)
            {
                logger.SigningKeysInVault();
            }

            await vault.MaintainAsync(cancellationToken);
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (keys is VaultSigningKeys vault)
        {
            await Task.Delay(keys.Current is null ? UrgentInterval : Interval, time, stoppingToken);
            await vault.MaintainAsync(stoppingToken);
        }
    }
}
