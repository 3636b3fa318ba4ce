using Affinity.Backends;
using Affinity.Backends.Memory;
using Affinity.Backends.Standby;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;

namespace Affinity.Tests.Backends;

/// <summary>Two stores that are one must be as good as one: here after a move to the second.</summary>
public sealed class SwitchingSessionStoreConformanceTests : SessionStoreConformance
{
    private readonly MovedSites _sites = new();

    protected override ISessionStore Store => _sites.Sessions;

    protected override Task PassAsync(TimeSpan time) => _sites.PassAsync(time);
}

public sealed class SwitchingNodeDirectoryConformanceTests : NodeDirectoryConformance
{
    private readonly MovedSites _sites = new();

    protected override INodeDirectory Directory => _sites.Nodes;

    protected override Task PassAsync(TimeSpan time) => _sites.PassAsync(time);
}

public sealed class SwitchingKeyVaultConformanceTests : KeyVaultConformance
{
    private readonly MovedSites _sites = new();

    protected override IKeyVault Vault => _sites.Keys;
}

public sealed class SwitchingSessionAnnouncementsConformanceTests : SessionAnnouncementsConformance
{
    private readonly MovedSites _sites = new();

    protected override ISessionStore Store => _sites.Sessions;

    protected override ISessionAnnouncements OnAnotherNode() => _sites.Announcements();
}

/// <summary>Two stores in this process, of which the second is in use.</summary>
internal sealed class MovedSites
{
    private readonly ManualTime _time = new();
    private readonly StandbyState _state;
    private readonly SharedSite _first;
    private readonly SharedSite _standby;

    public MovedSites()
    {
        _state = new StandbyState(new StandbyTimes(TimeSpan.FromSeconds(15)), _time);
        (_first, _standby) = (Site(), Site());
        Sessions = new SwitchingSessionStore(_first, _standby, _state, new StandbyEndings(_time));
        Nodes = new SwitchingNodeDirectory(_first, _standby, _state, _time);
        Keys = new SwitchingKeyVault(_first, _standby, _state);
        ReadOrder();
    }

    public SwitchingSessionStore Sessions { get; }

    public SwitchingNodeDirectory Nodes { get; }

    public SwitchingKeyVault Keys { get; }

    public SwitchingSessionAnnouncements Announcements() => new(_first, _standby, _state);

    /// <summary>The order is read all the while.</summary>
    public Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        ReadOrder();
        return Task.CompletedTask;
    }

    private void ReadOrder() => _state.OrderRead(new StandbyReading(new StandbyOrder(1, StandbySite.Standby), StandbyLedger.Kept, SessionVersion.None.Next()), _time.GetTimestamp());

    private SharedSite Site()
    {
        var sessions = new MemorySessionStore(_time);
        return new SharedSite(sessions, sessions, new MemoryNodeDirectory(_time), new MemoryKeyVault());
    }
}
