using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.Extensions.Logging;

namespace Affinity.Stickiness;

/// <summary>
/// The dialect as requests call it. It may be the app's own code, and no request is to fail for it: what goes wrong is told once per node, and once for reading. Safe for concurrent use.
/// </summary>
internal sealed class GuardedDialect(IAffinityDialect dialect, ILogger<GuardedDialect> logger)
{
    public const int MaxTold = 64;

    private readonly HashSet<NodeId> _told = [];
    private int _readingTold;

    /// <summary>See <see cref="IAffinityDialect.NeedsAddress"/>.</summary>
    public bool NeedsAddress => dialect.NeedsAddress;

    /// <summary>Whether a value tells the name of its node, whether or not that one lives. Of the app's own dialects nobody knows.</summary>
    public bool SpellsNames => dialect is PlainDialect or SuffixDialect or TaggedDialect;

    /// <summary>The value that leads to a node; null when there is none that can stand in a cookie.</summary>
    public string? Write(RouteTarget target, string token)
    {
        try
        {
            var value = dialect.Write(target, token);
            if (RouteCookie.IsValue(value))
            {
                return value;
            }

            Tell(target.Node, fault: null);
        }
        catch (Exception fault)
        {
            Tell(target.Node, fault);
        }

        return null;
    }

    /// <summary>As <see cref="IAffinityDialect.Read"/>.</summary>
    public RouteReading Read(ReadOnlySpan<char> value, IReadOnlyList<RouteTarget> live)
    {
        try
        {
            return dialect.Read(value, live);
        }
        catch (Exception fault)
        {
            if (Interlocked.Exchange(ref _readingTold, 1) == 0)
            {
                logger.RouteValueNotRead(fault, dialect.GetType().Name);
            }

            return RouteReading.Unrecognised;
        }
    }

    private void Tell(NodeId node, Exception? fault)
    {
        lock (_told)
        {
            if (_told.Count >= MaxTold || !_told.Add(node))
            {
                return;
            }
        }

        logger.RouteValueNotMade(fault, dialect.GetType().Name, node.Value, IAffinityDialect.MaxValueLength);
    }
}
