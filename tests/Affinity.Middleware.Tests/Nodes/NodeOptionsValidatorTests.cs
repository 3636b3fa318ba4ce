using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class NodeOptionsValidatorTests
{
    private static readonly TimeSpan HostDefault = TimeSpan.FromSeconds(30);

    [Fact]
    public void The_defaults_have_no_fault()
    {
        Assert.Empty(NodeOptionsValidator.Faults(new NodeOptions()));
        Assert.Empty(DrainOptionsValidator.Faults(new DrainOptions(), HostDefault));
    }

    [Fact]
    public void Every_fault_is_told_at_once_and_names_its_setting()
    {
        var faults = NodeOptionsValidator.Faults(new NodeOptions
        {
            Id = "node.a",
            ResponseHeader = "X Node",
            HeartbeatInterval = TimeSpan.FromMilliseconds(199),
            DeadAfter = TimeSpan.FromMilliseconds(500),
            HealthPath = "health/",
        }).ToList();
        Assert.Equal(
            ["Affinity:Node:Id", "Affinity:Node:ResponseHeader", "Affinity:Node:HeartbeatInterval", "Affinity:Node:DeadAfter", "Affinity:Node:HealthPath"],
            faults.Select(f => f.Split(' ')[0]),
            StringComparer.Ordinal);
    }

    /// <summary>Three times such an interval is no TimeSpan: the app ended with an OverflowException that named no setting.</summary>
    [Fact]
    public void An_interval_without_measure_is_a_fault_like_any_other() =>
        Assert.Equal(2, NodeOptionsValidator.Faults(new NodeOptions { HeartbeatInterval = TimeSpan.MaxValue }).Count());

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("health")]
    [InlineData("/health/")]
    [InlineData("/he alth")]
    [InlineData("/health?x")]
    public void A_health_path_that_a_probe_would_miss_is_refused(string path) =>
        Assert.Single(NodeOptionsValidator.Faults(new NodeOptions { HealthPath = path }));

    [Theory]
    [InlineData(0.2, 0.6)]
    [InlineData(60, 600)]
    public void The_stated_bounds_are_allowed_themselves(double interval, double deadAfter) =>
        Assert.Empty(NodeOptionsValidator.Faults(new NodeOptions { HeartbeatInterval = TimeSpan.FromSeconds(interval), DeadAfter = TimeSpan.FromSeconds(deadAfter) }));

    [Fact]
    public void A_host_that_would_break_a_drain_off_is_refused_with_both_settings_and_the_cure()
    {
        var fault = Assert.Single(DrainOptionsValidator.Faults(new DrainOptions { Timeout = TimeSpan.FromSeconds(22) }, HostDefault));
        Assert.Contains("HostOptions.ShutdownTimeout", fault, StringComparison.Ordinal);
        Assert.Contains("Affinity:Drain:Notice", fault, StringComparison.Ordinal);
        Assert.Contains("Affinity:Drain:Timeout", fault, StringComparison.Ordinal);
        Assert.Contains("Configure<HostOptions>", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_host_that_waits_without_end_breaks_no_drain_off() =>
        Assert.Empty(DrainOptionsValidator.Faults(new DrainOptions { Timeout = TimeSpan.FromHours(1) }, Timeout.InfiniteTimeSpan));

    [Fact]
    public void Negative_and_endless_waits_are_refused() =>
        Assert.Equal(2, DrainOptionsValidator.Faults(new DrainOptions { Notice = TimeSpan.FromSeconds(-1), Timeout = TimeSpan.FromDays(1) }, HostDefault).Count());
}
