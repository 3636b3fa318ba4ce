using System.Diagnostics;

namespace ShopFarm;

/// <summary>What the visitors met with, all together. Safe for concurrent use.</summary>
internal sealed class Tally
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _faults = new(StringComparer.Ordinal);
    private long _killBegan = long.MaxValue;
    private long _killEnded = long.MaxValue;

    public int Requests { get; private set; }

    public int Failed { get; private set; }

    /// <summary>GETs that broke on the wire with the killed node and were asked again.</summary>
    public int Retried { get; private set; }

    /// <summary>POSTs that broke on the wire with the killed node: nobody knows at first whether they took place; the next GET tells.</summary>
    public int Unanswered { get; private set; }

    public int Answered { get; private set; }

    public int ValuesLost { get; private set; }

    public int SignInsLost { get; private set; }

    /// <summary>Things that are in a basket more often than they were ordered: something repeated a post that was not safe to repeat.</summary>
    public int Doubled { get; private set; }

    public bool NothingLost => Failed + ValuesLost + SignInsLost + Doubled == 0;

    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_gate)
            {
                return [.. _faults.OrderByDescending(f => f.Value).Take(5).Select(f => $"{f.Value} × {f.Key}")];
            }
        }
    }

    public void KillBegins() => Interlocked.Exchange(ref _killBegan, Stopwatch.GetTimestamp());

    public void KillEnded() => Interlocked.Exchange(ref _killEnded, Stopwatch.GetTimestamp());

    /// <summary>Whether a request that began then and ends now was on its way while the node died. Only then may the wire break.</summary>
    public bool OverlapsKill(long began) =>
        began <= Interlocked.Read(ref _killEnded) && Stopwatch.GetTimestamp() >= Interlocked.Read(ref _killBegan);

    public void Request() => Add(() => Requests++);

    public void Retry() => Add(() => Retried++);

    public void NoAnswer() => Add(() => Unanswered++);

    public void Stored(int values) => Add(() => Answered += values);

    public void Fail(string what) => Add(() =>
    {
        Failed++;
        _faults[what] = _faults.GetValueOrDefault(what) + 1;
    });

    public void LostSignIn() => Add(() => SignInsLost++);

    public void LostValues(int count) => Add(() => ValuesLost += count);

    public void DoubledValues(int count) => Add(() => Doubled += count);

    private void Add(Action change)
    {
        lock (_gate)
        {
            change();
        }
    }
}
