using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;

namespace Affinity.Tests.Backends;

public sealed class MemorySessionStoreAnnouncementsConformanceTests : SessionAnnouncementsConformance
{
    private readonly MemorySessionStore _store = new(new ManualTime());

    protected override ISessionStore Store => _store;

    // One process: whoever listens stands beside the store.
    protected override ISessionAnnouncements OnAnotherNode() => _store;
}
