namespace Affinity.Nodes;

/// <summary>
/// How many new visitors a node asks for: 100 × mean ÷ its load, within 10 to 100 percent. It does not flap: the figure goes half of the way in 5 seconds, however often and by however many balancers it is asked for,
/// and what is told is a multiple of 5 that changes only when the figure is at least 4 away from it. Immutable; its owner replaces it.
/// </summary>
/// <param name="Smoothed">The figure.</param>
/// <param name="Percent">What is told.</param>
internal sealed record AgentWeight(double Smoothed, int Percent)
{
    public const int Lowest = 10;
    public const int Highest = 100;

    private const int Step = 5;
    private const double Dead = 4;

    private static readonly TimeSpan HalfLife = TimeSpan.FromSeconds(5);

    public static AgentWeight Start { get; } = new(Highest, Highest);

    /// <param name="elapsed">The time since this weight.</param>
    /// <param name="load">The node's load.</param>
    /// <param name="mean">The mean of its peers and itself.</param>
    public AgentWeight After(TimeSpan elapsed, long load, double mean)
    {
        // Below the mean there is nothing to ask for: above 100 a node would only make the others' weights mean less.
        var aim = load <= mean ? Highest : Math.Clamp(Highest * mean / load, Lowest, Highest);
        var smoothed = aim + ((Smoothed - aim) * Math.Pow(0.5, elapsed / HalfLife));
        return new(smoothed, Math.Abs(smoothed - Percent) < Dead ? Percent : Step * (int)Math.Round(smoothed / Step));
    }
}
