using Affinity.Backends.Distributed;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.Tests.Backends.Distributed;

public sealed class DistributedSessionStoreConformanceTests : WeakSessionStoreConformance
{
    private readonly ManualTime _time = new();
    private readonly StagedCache _cache;

    public DistributedSessionStoreConformanceTests()
    {
        _cache = new StagedCache(_time);
        Store = new DistributedSessionStore(_cache, "shop", _time, NullLogger<DistributedSessionStore>.Instance);
    }

    protected override ISessionStore Store { get; }

    protected override Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        return Task.CompletedTask;
    }

    protected override Task PlantAsync(SessionKey key, SessionVersion version)
    {
        var record = new DistributedSessionRecord(0, TimeSpan.FromHours(1), _time.GetUtcNow().AddHours(1), [version], "planted"u8.ToArray());
        return _cache.SetAsync(DistributedSessionStore.PrefixOf("shop") + key.Value, record.Write(), new DistributedCacheEntryOptions(), CancellationToken.None);
    }
}
