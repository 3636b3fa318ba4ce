namespace Affinity.FaultTests.Kit;

/// <summary>A fault, how it strikes a farm under load, and what has to hold beyond what always holds.</summary>
internal sealed record Scene
{
    /// <summary>The row's name in the table.</summary>
    public required string Fault { get; init; }

    /// <summary>Begins the fault, lasts as long as it does, and ends it.</summary>
    public required Func<Task> Strike { get; init; }

    /// <summary>How many values the visitors have saved, together, before the fault strikes.</summary>
    public int Before { get; init; } = 32;

    /// <summary>How many more they save once every node answers again.</summary>
    public int After { get; init; } = 32;

    /// <summary>Each visitor stays with one node as long as it answers; else every request goes to the next node.</summary>
    public bool Sticky { get; init; }

    /// <summary>How long a visitor waits for one answer.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>No request may have taken longer.</summary>
    public TimeSpan Bound { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Sessions are ended during the fault too. Off where the store may lose an ending like any other write.</summary>
    public bool EndsSessions { get; init; } = true;

    /// <summary>Nothing that the store has lost by this fault, if anything, stays lost: so nothing may be lost, and no loss may be told.</summary>
    public bool LosesNothing { get; init; }

    /// <summary>No request may fail, but one that ends a session: a store that is away cannot be told of an ending, and pretending it were worse.</summary>
    public bool FailsNothing { get; init; }

    /// <summary>No hundredth of the requests may take longer.</summary>
    public TimeSpan? P99Bound { get; init; }

    /// <summary>Nodes beside those of the farm.</summary>
    public IReadOnlyList<Uri> More { get; init; } = [];

    /// <summary>Where every visitor's first request goes; null: as any other.</summary>
    public Uri? Begins { get; init; }
}
