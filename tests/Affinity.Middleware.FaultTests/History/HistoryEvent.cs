namespace Affinity.FaultTests.History;

/// <summary>One request and what came of it. The events of one visitor stand in the order in which they were sent and answered; between visitors there is none.</summary>
internal sealed record HistoryEvent
{
    /// <summary>Whose browser.</summary>
    public required int Visitor { get; init; }

    /// <summary>Which of the visitor's sessions, from 0.</summary>
    public required int Session { get; init; }

    public required Act Act { get; init; }

    /// <summary>The status; 0 when no answer came, so that the request may still be under way.</summary>
    public required int Status { get; init; }

    /// <summary>The node that was asked.</summary>
    public string Node { get; init; } = "";

    /// <summary>What a <see cref="Act.Set"/> sets.</summary>
    public string Key { get; init; } = "";

    /// <summary>To what.</summary>
    public long Value { get; init; }

    /// <summary>Whether the answer told the visitor that something was lost.</summary>
    public bool ToldLost { get; init; }

    /// <summary>What the answer said of the store.</summary>
    public string Store { get; init; } = "";

    /// <summary>The version that the answer named.</summary>
    public string Version { get; init; } = "";

    /// <summary>Everything in the session, as the answer showed it; of a save, as it was saved.</summary>
    public IReadOnlyDictionary<string, string> Items { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public TimeSpan Took { get; init; }

    public bool IsAnswered => Status == 200;

    /// <summary>How a value stands in the session: by it the checker knows whose it is.</summary>
    public static string Text(int visitor, int session, long value) => $"{visitor}.{session}.{value}";

    public override string ToString() =>
        $"visitor {Visitor}.{Session} {Act} {Key}{(Act == Act.Set ? "=" + Value : "")} at {Node}: {Status}{(ToldLost ? " told lost" : "")} v{Version} {Store} [{string.Join(' ', Items.Select(item => item.Key + "=" + item.Value))}]";
}
