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

[Collection("Redis backend")]
public sealed class RedisNodeDirectoryConformanceTests(RedisBackendServer server) : RealNodeDirectoryConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetNodeDirectoryConformanceTests(GarnetBackendServer server) : RealNodeDirectoryConformance(server);

[Collection("Redis backend")]
public sealed class RedisKeyVaultConformanceTests(RedisBackendServer server) : RealKeyVaultConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetKeyVaultConformanceTests(GarnetBackendServer server) : RealKeyVaultConformance(server);

public abstract class RealSessionStoreConformance(BackendServer server) : SessionStoreConformance
{
    private static readonly RedisOptions Options = new() { KeyPrefix = $"t{Guid.NewGuid():N}:" };

    protected override ISessionStore Store { get; } = new RedisSessionStore(server.Connection, Options);

    protected override TimeSpan Soon => RealTime.Soon;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);

    protected override async Task PlantAsync(SessionKey key, SessionVersion version)
    {
        var database = await server.Connection.GetDatabaseAsync(CancellationToken.None);
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

public abstract class RealNodeDirectoryConformance(BackendServer server) : NodeDirectoryConformance
{
    protected override INodeDirectory Directory { get; } = new RedisNodeDirectory(
        server.Connection, new RedisOptions { KeyPrefix = $"t{Guid.NewGuid():N}:" }, NullLogger<RedisNodeDirectory>.Instance);

    protected override TimeSpan Soon => RealTime.Soon;

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}

public abstract class RealKeyVaultConformance(BackendServer server) : KeyVaultConformance
{
    protected override IKeyVault Vault { get; } = new RedisKeyVault(server.Connection, new RedisOptions { KeyPrefix = $"t{Guid.NewGuid():N}:" });
}

internal static class RealTime
{
    /// <summary>Long enough for a few calls on a busy machine.</summary>
    public static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>Servers count whole milliseconds, and a timer may fire a little early.</summary>
    public static Task PassAsync(TimeSpan time) => Task.Delay(time + TimeSpan.FromMilliseconds(30));
}
