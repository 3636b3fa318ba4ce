using System.Globalization;

namespace Affinity.FaultTests.History;

/// <summary>What one session of one visitor must show from one response to the next.</summary>
internal sealed class Ledger(int visitor, int session, Findings findings)
{
    private const long Nothing = -1;

    /// <summary>What was answered last of each key, as long as it has not been missed.</summary>
    private readonly Dictionary<string, long> _due = new(StringComparer.Ordinal);

    /// <summary>What may be there or not: writes without an answer, and what was lost before and may come back.</summary>
    private readonly Dictionary<string, HashSet<long>> _possible = new(StringComparer.Ordinal);

    /// <summary>What was missed in a response that told nothing: stale if it is seen again, else lost.</summary>
    private readonly Dictionary<string, Missing> _missed = new(StringComparer.Ordinal);
    private int _openAdds;
    private bool _hasLost;

    public void Take(HistoryEvent e)
    {
        if (e.Act == Act.Haunt)
        {
            Haunt(e);
        }
        else if (e.IsAnswered && e.Act != Act.Abandon)
        {
            Compare(e);
        }
        else
        {
            _openAdds += e.Act == Act.Add ? 1 : 0;
            if (e.Act == Act.Set)
            {
                Possible(e.Key).Add(e.Value);
            }
        }
    }

    public void Close()
    {
        foreach (var key in _missed.Keys.ToList())
        {
            GiveUp(key);
        }
    }

    private void Haunt(HistoryEvent e)
    {
        if (e.IsAnswered && e.Items.Count > 0)
        {
            findings.Resurrected++;
            findings.Complain("resurrected", e);
        }
    }

    private void Compare(HistoryEvent e)
    {
        var shown = Read(e);
        Acknowledge(e);
        var missing = _due.Where(due => shown.GetValueOrDefault(due.Key, Nothing) < due.Value).Select(due => due.Key).ToList();
        if (e.ToldLost && missing.Count == 0 && !_hasLost)
        {
            findings.FalseAlarms++;
        }

        _hasLost |= e.ToldLost;
        foreach (var key in missing)
        {
            Miss(key, shown.GetValueOrDefault(key, Nothing), e);
        }

        foreach (var (key, value) in shown)
        {
            See(key, value, e);
        }
    }

    /// <summary>The answer to a save is its first reading: it must show what it has saved.</summary>
    private void Acknowledge(HistoryEvent e)
    {
        if (e.Act == Act.Set)
        {
            findings.Saved++;
            // What was missed cannot come back any more once it is written over.
            GiveUp(e.Key);
            _due[e.Key] = e.Value;
            Possible(e.Key).Add(e.Value);
        }
        else if (e.Act == Act.Add)
        {
            findings.Saved++;
            // After a loss that this response tells, counting begins anew.
            _due[HistoryChecker.Counter] = _due.GetValueOrDefault(HistoryChecker.Counter) + 1;
        }
    }

    private void Miss(string key, long shown, HistoryEvent e)
    {
        var due = _due[key];
        Possible(key).Add(due);
        if (e.ToldLost)
        {
            findings.ToldLost++;
        }
        else
        {
            GiveUp(key);
            _missed[key] = new Missing(due, due - Math.Max(shown, 0), e);
        }

        if (key == HistoryChecker.Counter)
        {
            // The lost ones may come back with those that were never answered.
            _openAdds += (int)(due - Math.Max(shown, 0));
        }

        _ = shown == Nothing ? _due.Remove(key) : (_due[key] = shown) >= 0;
    }

    private void See(string key, long value, HistoryEvent e)
    {
        var due = _due.GetValueOrDefault(key, Nothing);
        if (_missed.TryGetValue(key, out var missed) && (key == HistoryChecker.Counter ? value >= due + missed.Gap : value == missed.Value))
        {
            findings.Stale++;
            findings.Complain($"stale, {key}={missed.Value} was there again at {e.Node}", missed.In);
            _missed.Remove(key);
            _due[key] = due = value;
        }

        if (key == HistoryChecker.Counter)
        {
            SeeCount(Math.Max(due, 0), value, e);
        }
        else if (value > due && !Possible(key).Contains(value))
        {
            findings.Impossible++;
            findings.Complain($"nobody wrote {key}={value}", e);
        }
    }

    private void SeeCount(long due, long value, HistoryEvent e)
    {
        var more = (int)(value - due);
        if (more > _openAdds)
        {
            findings.Impossible++;
            findings.Complain($"counted more than {due + _openAdds}", e);
            _openAdds = more;
        }

        if (more > 0)
        {
            // Seen once it is not due yet: no answer has confirmed it. With the next answered addition it counts.
            (_due[HistoryChecker.Counter], _openAdds) = e.Act == Act.Add ? (value, _openAdds - more) : (due, _openAdds);
        }
    }

    private Dictionary<string, long> Read(HistoryEvent e)
    {
        var shown = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var (key, text) in e.Items)
        {
            var parts = text.Split('.').Select(part => long.Parse(part, CultureInfo.InvariantCulture)).ToArray();
            if (parts is [var count])
            {
                shown[key] = count;
            }
            else if (parts[0] != visitor)
            {
                findings.Crossed++;
                findings.Complain("crossed", e);
            }
            else if (parts[1] != session)
            {
                findings.Resurrected++;
                findings.Complain("resurrected", e);
            }
            else
            {
                shown[key] = parts[2];
            }
        }

        return shown;
    }

    private void GiveUp(string key)
    {
        if (_missed.Remove(key, out var missed))
        {
            findings.LostAndNotTold++;
            findings.Complain($"lost and not told, {key}={missed.Value}", missed.In);
        }
    }

    private HashSet<long> Possible(string key) => _possible.TryGetValue(key, out var values) ? values : _possible[key] = [];

    /// <param name="Value">What was due.</param>
    /// <param name="Gap">By how much what was shown fell short of it.</param>
    /// <param name="In">The response that did not show it.</param>
    private readonly record struct Missing(long Value, long Gap, HistoryEvent In);
}
