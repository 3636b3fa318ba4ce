using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Affinity;

/// <summary>Reports every fault of every options class at once, each with its cure.</summary>
internal sealed class AffinityOptionsValidator(IOptions<HostOptions> host) : IValidateOptions<AffinityOptions>
{
    public ValidateOptionsResult Validate(string? name, AffinityOptions options)
    {
        List<string> faults =
        [
            .. OwnFaults(options),
            .. SecretsValidator.Faults([.. options.Secrets]),
            .. NodeOptionsValidator.Faults(options.Node),
            .. DrainOptionsValidator.Faults(options.Drain, host.Value.ShutdownTimeout),
            .. TicketOptionsValidator.Faults(options.Ticket),
            .. SessionsOptionsValidator.Faults(options.Sessions),
            .. RedisOptionsValidator.Faults(options.Redis),
        ];
        return faults.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> OwnFaults(AffinityOptions options)
    {
        if (options.Application is null or { Length: 0 or > 200 })
        {
            yield return "Affinity:Application must have 1 to 200 characters: name the app, the same on every instance, or leave it out to use the host's application name.";
        }
    }
}
