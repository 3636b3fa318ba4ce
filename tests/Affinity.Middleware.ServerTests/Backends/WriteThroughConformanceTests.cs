using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit.Conformance;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>With copies that answer by themselves.</summary>
[Collection("Redis backend")]
public sealed class WriteThroughSessionStoreConformanceTests(RedisBackendServer server) : WriteThroughConformance(server, TimeSpan.FromHours(1));

/// <summary>With copies that the database confirms at each read.</summary>
[Collection("Redis backend")]
public sealed class WriteThroughSessionStoreConfirmingConformanceTests(RedisBackendServer server) : WriteThroughConformance(server, TimeSpan.Zero);

[Collection("Garnet backend")]
public sealed class WriteThroughSessionStoreOverGarnetConformanceTests(GarnetBackendServer server) : WriteThroughConformance(server, TimeSpan.FromHours(1));

/// <summary>A real Redis in front of a store in this process.</summary>
public abstract class WriteThroughConformance(Backend backend, TimeSpan maxAge) : SessionStoreConformance
{
    protected override ISessionStore Store { get; } = new WriteThroughNode(new MemorySessionStore(TimeProvider.System), backend.Connection, $"t{Guid.NewGuid():N}:", maxAge).Store;

    protected override TimeSpan Soon => RealTime.Sooner;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}
