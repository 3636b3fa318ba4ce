using Affinity.Backends.Distributed;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>The commands that Microsoft's cache over Redis sends, to a real server: limits are the server's, in whole seconds.</summary>
public sealed class DistributedSessionStoreConformanceTests(RedisBackendServer server) : WeakSessionStoreConformance, IClassFixture<RedisBackendServer>
{
    protected override ISessionStore Store { get; } = new DistributedSessionStore(
        new RedisCacheCommands(server.Server.ConnectionString), $"t{Guid.NewGuid():N}", TimeProvider.System, NullLogger<DistributedSessionStore>.Instance);

    protected override TimeSpan Soon => RealTime.Soon;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}
