namespace Affinity.Nodes;

/// <summary>
/// What a node tells HAProxy: a line of its configuration manual's section on <c>agent-check</c> (2.6), without the line's end. Only the agent takes back what it has said, so every line sets both of HAProxy's states:
/// the administrative one (<c>ready</c>, <c>drain</c>) and the operational one (<c>up</c>, <c>down</c>, <c>stopped</c>).
/// </summary>
internal static class AgentWord
{
    private const int MaxReason = 120;

    /// <param name="ready">What the ready path answers.</param>
    /// <param name="serves">Whether the server takes requests yet.</param>
    /// <param name="evacuated">Whether the node stops and its visitors have had their time to be sent to another node, which there is.</param>
    /// <param name="percent">Of its weight.</param>
    public static string Of(ReadyAnswer ready, bool serves, bool evacuated, int percent)
    {
        if (!serves)
        {
            return "down #The app is starting.";
        }

        if (ready.Ready)
        {
            return $"ready up {percent}%";
        }

        // Not maint, which stops health checks and looks as if somebody at the balancer had done it: a node that does not come back would stay so for ever.
        return ready.IsDrainingOnly ? evacuated ? "stopped #The node is stopping." : "drain up" : "down #" + Line(ready.Reasons[^1]);
    }

    /// <summary>HAProxy shows it on its statistics page, and ends it at a line's end.</summary>
    private static string Line(string reason) =>
        string.Create(Math.Min(reason.Length, MaxReason), reason, (line, text) =>
        {
            for (var i = 0; i < line.Length; i++)
            {
                line[i] = text[i] is >= ' ' and <= '~' ? text[i] : '?';
            }
        });
}
