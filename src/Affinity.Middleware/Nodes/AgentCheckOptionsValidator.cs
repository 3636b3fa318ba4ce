using System.Net;

namespace Affinity.Nodes;

/// <summary>Every fault of <see cref="AgentCheckOptions"/>, each with its cure.</summary>
internal static class AgentCheckOptionsValidator
{
    public static IEnumerable<string> Faults(AgentCheckOptions options)
    {
        if (options.Port is < 1 or > IPEndPoint.MaxPort)
        {
            yield return $"Affinity:AgentCheck:Port is {options.Port}. Use 1 to {IPEndPoint.MaxPort}, the agent-port of HAProxy's server line, or leave it out and nothing listens.";
        }

        if (!IPAddress.TryParse(options.Address, out _))
        {
            yield return $"Affinity:AgentCheck:Address is '{options.Address}', which is not an IP address. Use that of the interface which HAProxy reaches, 0.0.0.0 or :: for all, or leave it out for 127.0.0.1.";
        }
    }
}
