using System.Buffers;

namespace Affinity.Nodes;

/// <summary>Every fault of <see cref="NodeOptions"/>, each with its cure.</summary>
internal static class NodeOptionsValidator
{
    private const int MaxAddressLength = 127;

    // RFC 9110, section 5.6.2: the characters of a header's name.
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // RFC 3986, section 3.3, without percent-encoding: a probe's path should need none.
    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("/-._~!$&'()*+,;=:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// <summary>Whether it can be a node's host and port.</summary>
    public static bool IsAddress(string? address) => address is { Length: > 0 and <= MaxAddressLength } && !address.AsSpan().ContainsAnyExceptInRange('!', '~');

    public static IEnumerable<string> Faults(NodeOptions options)
    {
        if (options.Id is { } id && !NodeId.TryParse(id, out _))
        {
            yield return $"Affinity:Node:Id is '{id}'. A balancer must be able to match it byte for byte: use 1 to {NodeId.MaxLength} characters of A-Z a-z 0-9 _ and -, or leave it out and the host name is used.";
        }

        if (options.Address is { } address && !IsAddress(address))
        {
            yield return $"Affinity:Node:Address must be 1 to {MaxAddressLength} visible characters of ASCII: this node's host and port as the balancer dials them, such as 10.1.1.100:8080. Leave it out unless the balancer's cookie is made of it.";
        }

        if (options.Track is { } track && !NodeId.TryParse(track, out _))
        {
            yield return $"Affinity:Node:Track is '{track}'. Use 1 to {NodeId.MaxLength} characters of A-Z a-z 0-9 _ and -, such as blue, or leave it out when there is one version only.";
        }

        if (options.ResponseHeader is { } header && (header.Length == 0 || header.AsSpan().ContainsAnyExcept(TokenCharacters)))
        {
            yield return $"Affinity:Node:ResponseHeader is '{header}', which is not a header's name. Use one such as X-Affinity-Node, or leave it out for none.";
        }

        if (options.HeartbeatInterval < TimeSpan.FromMilliseconds(200) || options.HeartbeatInterval > TimeSpan.FromMinutes(1))
        {
            yield return $"Affinity:Node:HeartbeatInterval is {options.HeartbeatInterval}. Use 00:00:00.2 to 00:01:00; the default is 00:00:01.";
        }

        if (options.DeadAfter / 3 < options.HeartbeatInterval || options.DeadAfter > TimeSpan.FromMinutes(10))
        {
            yield return $"Affinity:Node:DeadAfter is {options.DeadAfter}. Use at least three times Affinity:Node:HeartbeatInterval ({options.HeartbeatInterval}), so that one lost heartbeat kills no node, and at most 00:10:00; the default is 00:00:05.";
        }

        var path = options.HealthPath;
        if (path is not { Length: > 1 } || path[0] != '/' || path[^1] == '/' || path.AsSpan().ContainsAnyExcept(PathCharacters))
        {
            yield return $"Affinity:Node:HealthPath is '{path}'. Use a path that starts with a slash, does not end with one and needs no percent-encoding, such as /affinity/health.";
        }
    }
}
