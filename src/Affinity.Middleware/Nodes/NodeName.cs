using System.Security.Cryptography;
using System.Text;

namespace Affinity.Nodes;

/// <summary>Which name this instance has: the configured one, else one made from the host name. A pure function of the two.</summary>
internal static class NodeName
{
    // 24 bits tell two replicas apart whose names differ only in what was cut or replaced.
    private const int HashDigits = 6;

    /// <summary>The configured name, which must be valid, else the name made from the host name.</summary>
    /// <exception cref="FormatException">The configured name is not a node name.</exception>
    public static NodeId From(string? configured, string hostName) => configured is null ? FromHost(hostName) : NodeId.Parse(configured);

    private static NodeId FromHost(string hostName)
    {
        var clean = string.Concat(hostName.Select(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' ? c : '-')).TrimStart('-');
        if (clean.Length > 0 && clean.Length <= NodeId.MaxLength && string.Equals(clean, hostName, StringComparison.Ordinal))
        {
            return NodeId.Parse(clean);
        }

        // Orchestrators put what tells replicas apart at the end: keep that for people, and a hash of the whole name for certainty.
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(hostName)))[..HashDigits];
        var room = NodeId.MaxLength - HashDigits - 1;
        var tail = (clean.Length > room ? clean[^room..] : clean).Trim('-');
        return NodeId.Parse($"{(tail.Length > 0 ? tail : "node")}-{hash}");
    }
}
