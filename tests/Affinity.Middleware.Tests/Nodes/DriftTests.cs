using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

/// <summary>What a node makes of others that have other settings: it says so, once per change, and goes on.</summary>
public sealed class DriftTests : IDisposable
{
    private static readonly AgreedSettings Own = Settings("20");

    private readonly FakeDirectory _directory = new();
    private readonly NodeMembership _node;
    private readonly LogLines<Heartbeat> _log = new();
    private readonly Heartbeat _heartbeat;
    private readonly NodeRecord _peer = FakeDirectory.Peer("node-z");

    public DriftTests()
    {
        var time = new ManualTime();
        _node = new NodeMembership(NodeId.Parse("node-a"), new BoundVisitors(TimeSpan.FromMinutes(20), time), time) { Settings = Own };
        _heartbeat = new(_directory, _node, new NodeOptions(), new DrainOptions(), time, TestMetrics.Create(), _log);
    }

    /// <summary>A record goes with every beat to every node, so it is short as long as there is nothing to say.</summary>
    [Fact]
    public async Task A_node_tells_one_hash_while_all_agree_and_each_setting_while_one_does_not()
    {
        await SeeAsync(Own.Short, beats: 2);
        await SeeAsync(Settings("30").Short, beats: 2);
        await SeeAsync(Own.Text, beats: 2);

        Assert.Equal([Own.Short, Own.Short, Own.Short, Own.Text, Own.Text, Own.Short], _directory.Seen.Select(self => self.Settings));
        Assert.Equal(["NodeJoined"], _log.Events); // which setting it was nobody has told yet
    }

    [Fact]
    public async Task A_difference_is_told_once_per_change_and_once_when_it_is_over()
    {
        await SeeAsync(Own.Text, beats: 2);
        Assert.Equal(["NodeJoined"], _log.Events);

        await SeeAsync(Settings("30").Text, beats: 3);
        Assert.Equal(["NodeJoined", "NodeSettingsDiffer"], _log.Events);
        await SeeAsync(Settings("30", "another").Text, beats: 2);
        await SeeAsync(Own.Text, beats: 2);
        Assert.Equal(["NodeJoined", "NodeSettingsDiffer", "NodeSettingsDiffer", "NodeSettingsAgree"], _log.Events);
    }

    [Fact]
    public async Task A_node_that_has_gone_differs_no_more()
    {
        await SeeAsync(Settings("30").Text);
        _directory.Answer = FakeDirectory.Accept;
        await BeatAsync();

        Assert.Empty(_node.Drift);
        Assert.Equal("NodeSettingsAgree", _log.Events[^1]);
    }

    [Fact]
    public async Task A_node_that_differs_is_degraded_and_ready()
    {
        await SeeAsync(Settings("30").Text);

        var ready = new NodeHealth(_node, []).Ready();

        Assert.True(ready.Ready);
        Assert.Equal("Settings that all nodes must agree on differ: idle (on node-z).", ready.Degraded);
        await SeeAsync(Own.Text);
        Assert.Null(new NodeHealth(_node, []).Ready().Degraded);
    }

    [Fact]
    public async Task While_the_directory_is_away_that_is_what_is_told_and_the_difference_stays()
    {
        await SeeAsync(Settings("30").Text);
        _directory.Answer = FakeDirectory.Away;
        await BeatAsync();

        Assert.Contains("has not answered", new NodeHealth(_node, []).Ready().Degraded, StringComparison.Ordinal);
        Assert.Single(_node.Drift);
        Assert.DoesNotContain("NodeSettingsAgree", _log.Events);
    }

    [Theory]
    [InlineData("1\r\nSet-Cookie: x")]
    [InlineData("no form at all")]
    public async Task What_no_node_tells_counts_as_not_told(string settings)
    {
        await SeeAsync(settings);

        Assert.Null(_node.Live[1].Settings);
        Assert.Empty(_node.Drift);
    }

    public void Dispose() => _heartbeat.Dispose();

    private static AgreedSettings Settings(string idle, string name = "shop") => new([new("id", "idle", idle), new("na", "name", name)]);

    private Task SeeAsync(string? settings, int beats = 1)
    {
        _directory.Answer = self => new(Accepted: true, [self, _peer with { Settings = settings }]);
        return BeatAsync(beats);
    }

    private async Task BeatAsync(int times = 1)
    {
        for (var i = 0; i < times; i++)
        {
            await _heartbeat.BeatAsync(CancellationToken.None);
        }
    }
}
