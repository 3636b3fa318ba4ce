namespace Affinity.Nodes;

/// <summary>A setting in which other nodes differ from this one.</summary>
/// <param name="Setting">Its path.</param>
/// <param name="Nodes">Which nodes, in ordinal order.</param>
internal sealed record SettingDrift(string Setting, IReadOnlyList<string> Nodes)
{
    private const int MostNamed = 5;

    /// <summary>For people; a farm may have hundreds of nodes.</summary>
    public override string ToString() =>
        $"{Setting} (on {string.Join(", ", Nodes.Take(MostNamed))}{(Nodes.Count > MostNamed ? $" and {Nodes.Count - MostNamed} more" : "")})";
}

/// <summary>Which settings that must agree do not. Pure.</summary>
internal static class DriftRules
{
    /// <summary>Whether some other node tells of other settings: then this one tells all of its own, so that each can say which they are.</summary>
    public static bool AnyDiffers(AgreedSettings own, IEnumerable<NodeRecord> others) =>
        AgreedSettings.Read(own.Short) is { } mine && others.Any(node => AgreedSettings.Read(node.Settings) is { } theirs && !string.Equals(theirs.All, mine.All, StringComparison.Ordinal));

    /// <summary>In ordinal order of the settings. A node that tells nothing, as one of an older release, and a setting that only one of the two knows are no drift.</summary>
    /// <param name="own">What this node has.</param>
    /// <param name="others">The other living nodes.</param>
    public static IReadOnlyList<SettingDrift> Compare(AgreedSettings own, IEnumerable<NodeRecord> others)
    {
        if (AgreedSettings.Read(own.Text) is not { } mine)
        {
            return [];
        }

        var differing = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var other in others.OrderBy(node => node.Id.Value, StringComparer.Ordinal))
        {
            if (AgreedSettings.Read(other.Settings) is not { } theirs || string.Equals(theirs.All, mine.All, StringComparison.Ordinal))
            {
                continue;
            }

            foreach (var (code, hash) in mine.ByCode.Where(told => theirs.ByCode.TryGetValue(told.Key, out var their) && !string.Equals(told.Value, their, StringComparison.Ordinal)))
            {
                var name = own.NameOf(code)!;
                if (!differing.TryGetValue(name, out var nodes))
                {
                    differing[name] = nodes = [];
                }

                nodes.Add(other.Id.Value);
            }
        }

        return [.. differing.Select(drift => new SettingDrift(drift.Key, drift.Value))];
    }

    /// <summary>Whether nothing has changed.</summary>
    public static bool AreSame(IReadOnlyList<SettingDrift> one, IReadOnlyList<SettingDrift> other) => one.Select(drift => drift.Setting).SequenceEqual(other.Select(drift => drift.Setting), StringComparer.Ordinal)
        && one.Zip(other).All(pair => pair.First.Nodes.SequenceEqual(pair.Second.Nodes, StringComparer.Ordinal));

    /// <summary>One sentence; null when all agree.</summary>
    public static string? Describe(IReadOnlyList<SettingDrift> drift) => drift.Count == 0 ? null : $"Settings that all nodes must agree on differ: {string.Join("; ", drift)}.";
}
