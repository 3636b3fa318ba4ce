namespace Affinity.TestKit.ProbeApp;

/// <summary>A wall clock that is wrong by a fixed time, as of a machine whose clock nobody has set: timers and timestamps run as ever.</summary>
public sealed class SkewedTime(TimeSpan by) : TimeProvider
{
    /// <summary>The setting that makes the probe's clock wrong.</summary>
    public const string Setting = "Probe:ClockIsWrongBy";

    /// <summary>Registers it if the setting is there; before AddAffinity, which keeps a clock that it finds.</summary>
    public static void Add(IServiceCollection services, IConfiguration configuration)
    {
        if (configuration.GetValue<TimeSpan?>(Setting) is { } wrongBy)
        {
            services.AddSingleton<TimeProvider>(new SkewedTime(wrongBy));
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
}
