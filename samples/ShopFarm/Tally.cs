namespace ShopFarm;

/// <summary>A request that no shop has answered with success, with the moments when it began and ended (<see cref="TimeProvider.GetTimestamp"/>), and the node that its visitor's cookie named.</summary>
internal sealed record Fault(bool IsPost, string? BoundTo, long Began, long Ended, string What)
{
    /// <summary>Whether the answer had begun to come: a balancer that passes it on as it comes cannot ask anybody else then.</summary>
    public bool BrokeOff => What.EndsWith("(ResponseEnded)", StringComparison.Ordinal);

    public bool Overlaps(long from, long to) => Began <= to && Ended >= from;
}

/// <summary>What the visitors met with, all together. Safe for concurrent use.</summary>
internal sealed class Tally
{
    private readonly Lock _gate = new();
    private readonly List<Fault> _faults = [];
    private readonly Dictionary<string, int> _strayed = new(StringComparer.Ordinal);
    private long _killBegan = long.MaxValue;
    private long _killEnded = long.MaxValue;

    /// <summary>How long a request may still be sent to a node that has just died, until the balancer's own events have told it. Generous, for machines with few cores.</summary>
    public static TimeSpan InFlight { get; } = TimeSpan.FromMilliseconds(250);

    public int Requests { get; private set; }

    public int Posts { get; private set; }

    /// <summary>What the slowest request took, answered or not.</summary>
    public TimeSpan Longest { get; private set; }

    /// <summary>Things that the shop has confirmed.</summary>
    public int Answered { get; private set; }

    public int ValuesLost { get; private set; }

    public int SignInsLost { get; private set; }

    /// <summary>Things that are in a basket more often than they were ordered: something repeated a post that was not safe to repeat.</summary>
    public int Doubled { get; private set; }

    /// <summary>Requests that were served by another node than the visitor's cookie named.</summary>
    public int Strayed => StrayedFrom(null);

    /// <summary>When the node died; only requests that were on their way then may break.</summary>
    public (long Began, long Ended) Kill => (Interlocked.Read(ref _killBegan), Interlocked.Read(ref _killEnded));

    /// <summary>Requests that broke although no node was dying under them.</summary>
    public int Failed => Count(f => !InKill(f));

    /// <summary>GETs that broke on the wire with the killed node and were asked again.</summary>
    public int Retried => Count(f => InKill(f) && !f.IsPost);

    /// <summary>POSTs that broke on the wire with the killed node: nobody knows at first whether they took place; the next GET tells.</summary>
    public int Unanswered => Count(f => InKill(f) && f.IsPost);

    public bool NothingLost => Failed + ValuesLost + SignInsLost + Doubled == 0;

    public IReadOnlyList<Fault> Faults
    {
        get
        {
            lock (_gate)
            {
                return [.. _faults];
            }
        }
    }

    /// <summary>The most frequent of those that should not have been.</summary>
    public IEnumerable<string> FailureLines =>
        Faults.Where(f => !InKill(f)).CountBy(f => f.What, StringComparer.Ordinal).OrderByDescending(f => f.Value).Take(5).Select(f => $"{f.Value} × {f.Key}");

    public void KillBegins() => Interlocked.Exchange(ref _killBegan, TimeProvider.System.GetTimestamp());

    /// <param name="grace">How much longer requests may go to the dead node.</param>
    public void KillEnded(TimeSpan grace) =>
        Interlocked.Exchange(ref _killEnded, TimeProvider.System.GetTimestamp() + (long)(grace.TotalSeconds * TimeProvider.System.TimestampFrequency));

    public void Request(bool isPost, TimeSpan took) => Add(() =>
    {
        Requests++;
        Posts += isPost ? 1 : 0;
        Longest = took > Longest ? took : Longest;
    });

    public void Stored(int values) => Add(() => Answered += values);

    public void Fail(Fault fault) => Add(() => _faults.Add(fault));

    public void Stray(string from) => Add(() => _strayed[from] = _strayed.GetValueOrDefault(from) + 1);

    /// <summary>How many of <see cref="Strayed"/> had a cookie that names this node; null: any.</summary>
    public int StrayedFrom(string? node)
    {
        lock (_gate)
        {
            return node is null ? _strayed.Values.Sum() : _strayed.GetValueOrDefault(node);
        }
    }

    public void LostSignIn() => Add(() => SignInsLost++);

    public void LostValues(int count) => Add(() => ValuesLost += count);

    public void DoubledValues(int count) => Add(() => Doubled += count);

    private bool InKill(Fault fault) => fault.Overlaps(Kill.Began, Kill.Ended);

    private int Count(Func<Fault, bool> which) => Faults.Count(which);

    private void Add(Action change)
    {
        lock (_gate)
        {
            change();
        }
    }
}
