namespace Affinity.Nodes;

/// <summary>Every fault of <see cref="DrainOptions"/>, each with its cure.</summary>
internal static class DrainOptionsValidator
{
    /// <param name="options">What to check.</param>
    /// <param name="shutdownTimeout">The host's <c>HostOptions.ShutdownTimeout</c>, after which it breaks off every stop.</param>
    public static IEnumerable<string> Faults(DrainOptions options, TimeSpan shutdownTimeout)
    {
        string[] outOfRange =
        [
            .. RangeFault(nameof(options.Notice), options.Notice, TimeSpan.FromMinutes(10), "00:00:03"),
            .. RangeFault(nameof(options.Evacuation), options.Evacuation, TimeSpan.FromHours(1), "00:00:05"),
            .. RangeFault(nameof(options.Timeout), options.Timeout, TimeSpan.FromHours(1), "00:00:15"),
        ];
        foreach (var fault in outOfRange)
        {
            yield return fault;
        }

        // The host's default is 30 s and a negative value means without end.
        if (outOfRange.Length == 0 && shutdownTimeout >= TimeSpan.Zero && options.Notice + options.Evacuation + options.Timeout is var longest && shutdownTimeout <= longest)
        {
            yield return $"HostOptions.ShutdownTimeout is {shutdownTimeout}, which breaks a drain off: Affinity:Drain:Notice ({options.Notice}), Affinity:Drain:Evacuation ({options.Evacuation}) and Affinity:Drain:Timeout ({options.Timeout}) together take up to {longest}. "
                + "Raise it with services.Configure<HostOptions>(o => o.ShutdownTimeout = …) (and the orchestrator's grace period with it), or lower the three.";
        }

        if (!Enum.IsDefined(options.UnboundRequests))
        {
            yield return $"Affinity:Drain:UnboundRequests must be one of {string.Join(", ", Enum.GetNames<UnboundRequests>())}.";
        }

        if (!Enum.IsDefined(options.Readiness))
        {
            yield return $"Affinity:Drain:Readiness must be one of {string.Join(", ", Enum.GetNames<DrainReadiness>())}.";
        }
    }

    private static IEnumerable<string> RangeFault(string option, TimeSpan value, TimeSpan longest, string usual)
    {
        if (value < TimeSpan.Zero || value > longest)
        {
            yield return $"Affinity:Drain:{option} is {value}. Use 00:00:00 to {longest}; the default is {usual}.";
        }
    }
}
