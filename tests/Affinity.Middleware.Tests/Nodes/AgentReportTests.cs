using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

public sealed class AgentReportTests
{
    private readonly ManualTime _time = new();
    private readonly NodeMembership _node;
    private readonly AgentCheckOptions _options = new();
    private readonly AgentReport _report;

    public AgentReportTests()
    {
        _node = TestNode.Create(_time);
        _report = new(_node, new NodeHealth(_node, []), new DrainOptions(), _options, _time);
    }

    [Fact]
    public void A_node_on_its_way_from_start_to_end()
    {
        Assert.Equal("down #The app is starting.", _report.Now());
        _report.BeginServing();
        Assert.Equal("down #The node has not yet joined the node directory.", _report.Now());
        Join(peerLoad: 0);
        Assert.Equal("ready up 100%", _report.Now());
        _node.BeginDrain(stops: false);
        Assert.Equal("drain up", _report.Now());
        _node.EndDrain();
        Assert.Equal("ready up 100%", _report.Now());
        _node.BeginDrain(stops: true);
        Assert.Equal("drain up", _report.Now());
        _time.Advance(TimeSpan.FromSeconds(8));
        Assert.StartsWith("stopped #", _report.Now(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_last_node_keeps_its_visitors_to_the_end()
    {
        _report.BeginServing();
        _node.Joined([_node.ToRecord()]);
        _node.BeginDrain(stops: true);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("drain up", _report.Now());
    }

    [Fact]
    public void A_drain_by_command_keeps_bound_visitors_however_long()
    {
        _report.BeginServing();
        Join(peerLoad: 0);
        _node.BeginDrain(stops: false);
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Equal("drain up", _report.Now());
    }

    [Fact]
    public void A_drain_by_command_of_the_only_node_takes_nobody_out()
    {
        _report.BeginServing();
        _node.Joined([_node.ToRecord()]);
        _node.BeginDrain(stops: false);
        Assert.Equal("ready up 100%", _report.Now());
        Join(peerLoad: 0);
        Assert.Equal("drain up", _report.Now());
    }

    [Fact]
    public void The_weight_follows_the_load_only_when_it_is_asked_for()
    {
        _report.BeginServing();
        Join(peerLoad: 0);
        for (var visitor = 0u; visitor < 90; visitor++)
        {
            _node.Bound.Stays(visitor);
        }

        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("ready up 100%", _report.Now());

        _options.Weight = true;
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("ready up 50%", _report.Now());

        Join(peerLoad: 90);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("ready up 100%", _report.Now());
    }

    private void Join(int peerLoad) => _node.Joined([_node.ToRecord(), FakeDirectory.Peer("node-z") with { Bound = peerLoad }]);
}
