using Affinity.Nodes;

namespace Affinity.Tickets;

/// <summary>A node without the shared Data Protection keys would sign every visitor out: it takes none.</summary>
internal sealed class DataProtectionReadiness(VaultRing ring, SharedKeyRingProvider keyRings) : IReadinessCheck
{
    public string? NotReadyBecause() =>
        !ring.HasBeenRead ? "The Data Protection keys have not been read yet: the key vault does not answer. The node tries again every second."
        : !keyRings.IsLoaded ? "The Data Protection keys are read but could not be loaded: the log says why. The node tries again."
        : null;
}
