namespace Affinity.Nodes;

/// <summary>Every fault of <see cref="DrainOptions"/>, each with its cure.</summary>
internal static class DrainOptionsValidator
{
    /// <param name="options">What to check.</param>
    /// <param name="shutdownTimeout">The host's <c>HostOptions.ShutdownTimeout</c>, after which it breaks off every stop.</param>
    public static IEnumerable<string> Faults(DrainOptions options, TimeSpan shutdownTimeout)
    {
        var inRange = true;
        if (options.Notice < TimeSpan.Zero || options.Notice > TimeSpan.FromMinutes(10))
        {
            inRange = false;
            yield return $"Affinity:Drain:Notice is {options.Notice}. Use 00:00:00 to 00:10:00; the default is 00:00:03.";
        }

        if (options.Timeout < TimeSpan.Zero || options.Timeout > TimeSpan.FromHours(1))
        {
            inRange = false;
            yield return $"Affinity:Drain:Timeout is {options.Timeout}. Use 00:00:00 to 01:00:00; the default is 00:00:20.";
        }

        // The host's default is 30 s and a negative value means without end.
        if (inRange && shutdownTimeout >= TimeSpan.Zero && shutdownTimeout <= options.Notice + options.Timeout)
        {
            yield return $"HostOptions.ShutdownTimeout is {shutdownTimeout}, which breaks a drain off: Affinity:Drain:Notice ({options.Notice}) and Affinity:Drain:Timeout ({options.Timeout}) together take up to {options.Notice + options.Timeout}. "
                + "Raise it with services.Configure<HostOptions>(o => o.ShutdownTimeout = …) (and the orchestrator's grace period with it), or lower the two.";
        }
    }
}
