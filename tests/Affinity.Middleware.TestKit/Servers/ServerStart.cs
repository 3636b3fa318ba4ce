namespace Affinity.TestKit;

/// <summary>How to start a server process, and how to know that it serves.</summary>
public sealed record ServerStart
{
    /// <summary>The executable: a path, or a name on the PATH.</summary>
    public required string FileName { get; init; }

    /// <summary>Its arguments, each passed as it stands.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Variables set on top of the inherited ones; <c>null</c> removes one.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>(StringComparer.Ordinal);

    /// <summary>The working directory; by default a fresh one in the temp folder, removed with the process.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>When the process counts as started; by default as soon as it exists.</summary>
    public Readiness Ready { get; init; } = Readiness.AtOnce;

    /// <summary>How long that may take.</summary>
    public TimeSpan ReadyWithin { get; init; } = TimeSpan.FromSeconds(30);
}
