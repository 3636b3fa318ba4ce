using Affinity.Backends.Redis;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>One server, or several that are one store, and one connection to it for all facts of a collection, which keep apart by their key prefixes.</summary>
public abstract class Backend : IAsyncLifetime, IAsyncDisposable
{
    private RedisConnection? _connection;

    internal RedisConnection Connection => _connection!;

    public async Task InitializeAsync() =>
        _connection = new RedisConnection(new RedisOptions { Configuration = await StartAsync() }, TimeProvider.System, NullLogger<RedisConnection>.Instance);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _connection, value: null) is { } connection)
        {
            await connection.DisposeAsync();
        }

        await StopAsync();
        GC.SuppressFinalize(this);
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    /// <summary>Answers the connection string.</summary>
    private protected abstract Task<string> StartAsync();

    private protected abstract ValueTask StopAsync();
}

public abstract class BackendServer : Backend
{
    private RedisProtocolServer? _server;

    internal RedisProtocolServer Server => _server!;

    private protected abstract Task<RedisProtocolServer> StartServerAsync();

    private protected override async Task<string> StartAsync()
    {
        _server = await StartServerAsync();
        return _server.ConnectionString;
    }

    private protected override ValueTask StopAsync() => Interlocked.Exchange(ref _server, value: null)?.DisposeAsync() ?? ValueTask.CompletedTask;
}

public sealed class RedisBackendServer : BackendServer
{
    private protected override async Task<RedisProtocolServer> StartServerAsync() => await RedisServer.StartAsync();
}

public sealed class GarnetBackendServer : BackendServer
{
    private protected override async Task<RedisProtocolServer> StartServerAsync() => await GarnetServer.StartAsync();
}

public sealed class RedisClusterBackend : Backend
{
    private RedisCluster? _cluster;

    internal RedisCluster Cluster => _cluster!;

    private protected override async Task<string> StartAsync()
    {
        _cluster = await RedisCluster.StartAsync();
        return _cluster.ConnectionString;
    }

    private protected override ValueTask StopAsync() => Interlocked.Exchange(ref _cluster, value: null)?.DisposeAsync() ?? ValueTask.CompletedTask;
}

[CollectionDefinition("Redis backend")]
public sealed class RedisBackendGroup : ICollectionFixture<RedisBackendServer>;

[CollectionDefinition("Garnet backend")]
public sealed class GarnetBackendGroup : ICollectionFixture<GarnetBackendServer>;

[CollectionDefinition("Redis Cluster backend")]
public sealed class RedisClusterBackendGroup : ICollectionFixture<RedisClusterBackend>;
