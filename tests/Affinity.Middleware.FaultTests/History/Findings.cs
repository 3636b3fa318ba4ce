namespace Affinity.FaultTests.History;

/// <summary>What the ledgers of all sessions have found.</summary>
internal sealed class Findings
{
    public int Saved { get; set; }

    public int ToldLost { get; set; }

    public int LostAndNotTold { get; set; }

    public int Stale { get; set; }

    public int Crossed { get; set; }

    public int Resurrected { get; set; }

    public int Impossible { get; set; }

    public int FalseAlarms { get; set; }

    public List<string> Complaints { get; } = [];

    public void Complain(string what, HistoryEvent e) => Complaints.Add($"{what}: {e}");
}
