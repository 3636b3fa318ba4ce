using Affinity.Backends;
using Affinity.Backends.Memory;
using Affinity.Backends.Standby;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;

namespace Affinity.Tests.Backends;

/// <summary>Two stores as one keep every contract, at the second one too, as long as it is certain which of them counts.</summary>
public sealed class SwitchingSessionStoreConformanceTests : SessionStoreConformance
{
    private readonly MovedNode _node = new();

    protected override ISessionStore Store => _node.Sessions;

    protected override Task PassAsync(TimeSpan time) => _node.PassAsync(time);
}

public sealed class SwitchingSessionAnnouncementsConformanceTests : SessionAnnouncementsConformance
{
    private readonly MovedNode _node = new();

    protected override ISessionStore Store => _node.Sessions;

    protected override ISessionAnnouncements OnAnotherNode() => _node.Announcements;
}

public sealed class SwitchingNodeDirectoryConformanceTests : NodeDirectoryConformance
{
    private readonly MovedNode _node = new();

    protected override INodeDirectory Directory => _node.Nodes;

    protected override Task PassAsync(TimeSpan time) => _node.PassAsync(time);
}

public sealed class SwitchingKeyVaultConformanceTests : KeyVaultConformance
{
    private readonly MovedNode _node = new();

    protected override IKeyVault Vault => _node.Keys;
}

/// <summary>A node that has moved to the second store with all others, and reads the order as often as it should.</summary>
internal sealed class MovedNode
{
    private readonly ManualTime _time = new();
    private readonly StandbyState _state;

    public MovedNode()
    {
        _state = new StandbyState(new StandbyTimes(TimeSpan.FromSeconds(15)), _time);
        var (first, standby) = (Site(), Site());
        Sessions = new SwitchingSessionStore(first, standby, _state, new StandbyEndings(_time));
        Announcements = new SwitchingSessionAnnouncements(first, standby, _state);
        Nodes = new SwitchingNodeDirectory(first, standby, _state, _time);
        Keys = new SwitchingKeyVault(first, standby, _state);
        ReadOrder();
    }

    public SwitchingSessionStore Sessions { get; }

    public SwitchingSessionAnnouncements Announcements { get; }

    public SwitchingNodeDirectory Nodes { get; }

    public SwitchingKeyVault Keys { get; }

    public Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        ReadOrder();
        return Task.CompletedTask;
    }

    private void ReadOrder() =>
        _state.OrderRead(new StandbyReading(new StandbyOrder(1, StandbySite.Standby), TimeSpan.FromMinutes(1), SessionVersion.None), _time.GetTimestamp());

    private SharedSite Site()
    {
        var store = new MemorySessionStore(_time);
        return new SharedSite(store, store, new MemoryNodeDirectory(_time), new MemoryKeyVault());
    }
}
