using System.Globalization;
using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;
using Xunit;

namespace Affinity.ServerTests.Backends;

[Collection("Redis backend")]
public sealed class RedisSessionStoreConformanceTests(RedisBackendServer server) : RealSessionStoreConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetSessionStoreConformanceTests(GarnetBackendServer server) : RealSessionStoreConformance(server);

[Collection("Redis Cluster backend")]
public sealed class RedisClusterSessionStoreConformanceTests(RedisClusterBackend cluster) : RealSessionStoreConformance(cluster)
{
    protected override TimeSpan Soon => RealTime.Sooner;
}

[Collection("Redis backend")]
public sealed class RedisNodeDirectoryConformanceTests(RedisBackendServer server) : RealNodeDirectoryConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetNodeDirectoryConformanceTests(GarnetBackendServer server) : RealNodeDirectoryConformance(server);

[Collection("Redis Cluster backend")]
public sealed class RedisClusterNodeDirectoryConformanceTests(RedisClusterBackend cluster) : RealNodeDirectoryConformance(cluster)
{
    protected override TimeSpan Soon => RealTime.Sooner;
}

[Collection("Redis backend")]
public sealed class RedisKeyVaultConformanceTests(RedisBackendServer server) : RealKeyVaultConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetKeyVaultConformanceTests(GarnetBackendServer server) : RealKeyVaultConformance(server);

[Collection("Redis Cluster backend")]
public sealed class RedisClusterKeyVaultConformanceTests(RedisClusterBackend cluster) : RealKeyVaultConformance(cluster);

public abstract class RealSessionStoreConformance(Backend backend) : SessionStoreConformance
{
    private static readonly RedisOptions Options = new() { KeyPrefix = $"t{Guid.NewGuid():N}:" };

    protected override ISessionStore Store { get; } = new RedisSessionStore(backend.Connection, Options, TimeProvider.System);

    protected override TimeSpan Soon => RealTime.Soon;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);

    protected override async Task PlantAsync(SessionKey key, SessionVersion version)
    {
        var database = await backend.Connection.GetDatabaseAsync(CancellationToken.None);
        RedisKey name = $"{Options.KeyPrefix}s:{key.Value}";
        await database.HashSetAsync(
            name,
            [
                new HashEntry("v", version.Counter.ToString(CultureInfo.InvariantCulture)),
                new HashEntry("s", version.Stamp.ToString("x16", CultureInfo.InvariantCulture)),
                new HashEntry("g", 0),
                new HashEntry("p", "planted"),
                new HashEntry("a", DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds()),
            ]);
        await database.KeyExpireAsync(name, TimeSpan.FromHours(1));
    }
}

public abstract class RealNodeDirectoryConformance(Backend backend) : NodeDirectoryConformance
{
    protected override INodeDirectory Directory { get; } = new RedisNodeDirectory(
        backend.Connection, new RedisOptions { KeyPrefix = $"t{Guid.NewGuid():N}:" }, NullLogger<RedisNodeDirectory>.Instance);

    protected override TimeSpan Soon => RealTime.Soon;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}

public abstract class RealKeyVaultConformance(Backend backend) : KeyVaultConformance
{
    protected override IKeyVault Vault { get; } = new RedisKeyVault(backend.Connection, new RedisOptions { KeyPrefix = $"t{Guid.NewGuid():N}:" });
}

internal static class RealTime
{
    /// <summary>Long enough for a few calls on a busy machine.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>Enough still, for a suite that repeats what another one has waited for with the same server.</summary>
    public static readonly TimeSpan Sooner = TimeSpan.FromMilliseconds(400);

    /// <summary>Servers count whole milliseconds, and a timer may fire a little early.</summary>
    public static Task PassAsync(TimeSpan time) => Task.Delay(time + TimeSpan.FromMilliseconds(30));
}
