using Affinity.Nodes;

namespace Affinity.Stickiness;

/// <summary>Whether a dialect can name this node, tried out when the app starts and not on the first visitor.</summary>
internal static class DialectValidator
{
    // Of the form that real tokens have.
    private const string Token = "Start-up_Token_0";

    /// <summary>Every fault, with its cure.</summary>
    public static IEnumerable<string> Faults(IAffinityDialect dialect, RouteTarget self)
    {
        var name = dialect.GetType().Name;
        if (dialect.NeedsAddress && string.IsNullOrEmpty(self.Address))
        {
            yield return $"Affinity:Node:Address is not set, but the route cookie's value is made of it ({name}). "
                + "Set it to this node's host and port as the balancer dials them, such as 10.1.1.100:8080, or choose another Affinity:Stickiness:Dialect.";
            yield break;
        }

        if (Write(dialect, self) is not { } value || !RouteCookie.IsValue(value))
        {
            yield return $"Affinity:Stickiness:Dialect: {name} does not write 1 to {IAffinityDialect.MaxValueLength} cookie octets (RFC 6265) for this node. "
                + (dialect.NeedsAddress
                    ? "Set Affinity:Node:Address to a host and port such as 10.1.1.100:8080."
                    : "Change its Write, or choose another dialect.");
        }
        else if (dialect.Steers && Read(dialect, value, self) != self.Node)
        {
            yield return $"Affinity:Stickiness:Dialect: {name} does not read the value back that it writes for this node, so every visitor would get a new cookie with every response. "
                + "Change its Read, let its Steers be false, or choose another dialect.";
        }
    }

    private static string? Write(IAffinityDialect dialect, RouteTarget self)
    {
        try
        {
            return dialect.Write(self, Token);
        }
        catch (Exception)
        {
            return null;
        }
    }

    private static NodeId? Read(IAffinityDialect dialect, string value, RouteTarget self)
    {
        try
        {
            return dialect.Read(value, [self]).Node;
        }
        catch (Exception)
        {
            return null;
        }
    }
}
