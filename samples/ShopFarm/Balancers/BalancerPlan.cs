namespace ShopFarm.Balancers;

/// <summary>A node as a balancer knows it.</summary>
/// <param name="Name">Its <c>Affinity:Node:Id</c>.</param>
/// <param name="Host">Where the balancer finds it.</param>
/// <param name="Port">Where the balancer finds it.</param>
/// <param name="Track">Its <c>Affinity:Node:Track</c>; null when all nodes run one version of the app.</param>
internal sealed record BalancedNode(string Name, string Host, int Port, string? Track = null)
{
    public string Endpoint => $"{Host}:{Port}";
}

/// <summary>What every balancer is told, each in its own words.</summary>
/// <param name="Address">Where it listens.</param>
/// <param name="Port">Where it listens.</param>
/// <param name="Nodes">To where it leads; at least one.</param>
internal sealed record BalancerPlan(string Address, int Port, IReadOnlyList<BalancedNode> Nodes)
{
    /// <summary>The app's <c>Affinity:Stickiness:CookieName</c>.</summary>
    public string Cookie { get; init; } = "AFF";

    /// <summary>How many of a hundred new visitors start on the second track, where a template knows of tracks; 0 to 100.</summary>
    public int SecondTrackPercent { get; init; } = 10;

    /// <summary>The tracks in the order of their first nodes.</summary>
    public IReadOnlyList<string> Tracks => [.. Nodes.Select(n => n.Track).OfType<string>().Distinct(StringComparer.Ordinal)];

    /// <summary>This node, and then the others as they follow it.</summary>
    public IEnumerable<BalancedNode> From(BalancedNode first)
    {
        var start = Nodes.ToList().IndexOf(first);
        return Nodes.Skip(start).Concat(Nodes.Take(start));
    }

    public IEnumerable<BalancedNode> On(string track) => Nodes.Where(n => string.Equals(n.Track, track, StringComparison.Ordinal));

    public IEnumerable<BalancedNode> NotOn(string track) => Nodes.Except(On(track));
}
