namespace Affinity.FaultTests.History;

/// <summary>What a history amounts to.</summary>
internal sealed record HistoryVerdict
{
    public required int Requests { get; init; }

    /// <summary>Requests without an answer, or with another one than 200.</summary>
    public required int Failed { get; init; }

    /// <summary>Requests that took longer than a second.</summary>
    public required int Slow { get; init; }

    /// <summary>99 of 100 requests took no longer.</summary>
    public required TimeSpan P99 { get; init; }

    /// <summary>Values whose save was answered.</summary>
    public required int Saved { get; init; }

    /// <summary>Values whose loss the visitor was told with the first response that did not show them, or before.</summary>
    public required int ToldLost { get; init; }

    /// <summary>Values that had been answered, were missing in a response that said nothing of it, and never came back.</summary>
    public required int LostAndNotTold { get; init; }

    /// <summary>Values that were missing in a response and there again in a later one: an older state was read than the visitor had seen.</summary>
    public required int Stale { get; init; }

    /// <summary>Responses with something of another visitor.</summary>
    public required int Crossed { get; init; }

    /// <summary>Responses with something of a session that had ended.</summary>
    public required int Resurrected { get; init; }

    /// <summary>Values that nobody can have written, such as a counter above the number of requests that counted.</summary>
    public required int Impossible { get; init; }

    /// <summary>Responses that told a loss where nothing was missing.</summary>
    public required int FalseAlarms { get; init; }

    /// <summary>A line for each broken promise.</summary>
    public required IReadOnlyList<string> Complaints { get; init; }

    public int Lost => ToldLost + LostAndNotTold;
}
