using Affinity.Nodes;

namespace Affinity.Tickets;

/// <summary>A node without a signing key can neither verify nor issue tickets, so it takes no visitors.</summary>
internal sealed class SigningKeysReadiness(ISigningKeys keys) : IReadinessCheck
{
    public string? NotReadyBecause() => keys.Current is null
        ? "No signing key is known yet: the key vault has not been reached; it is asked again until it answers, and Affinity:Secrets needs no vault."
        : null;
}
