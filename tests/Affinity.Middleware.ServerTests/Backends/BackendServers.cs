using Affinity.Backends.Redis;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>One server and one connection to it for all facts of a collection, which keep apart by their key prefixes.</summary>
public abstract class BackendServer : IAsyncLifetime, IAsyncDisposable
{
    private RedisProtocolServer? _server;
    private RedisConnection? _connection;

    internal RedisProtocolServer Server => _server!;

    internal RedisConnection Connection => _connection!;

    public async Task InitializeAsync()
    {
        _server = await StartAsync();
        _connection = new RedisConnection(new RedisOptions { Configuration = _server.ConnectionString }, NullLogger<RedisConnection>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _connection, value: null) is { } connection)
        {
            await connection.DisposeAsync();
        }

        if (Interlocked.Exchange(ref _server, value: null) is { } server)
        {
            await server.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    private protected abstract Task<RedisProtocolServer> StartAsync();
}

public sealed class RedisBackendServer : BackendServer
{
    private protected override async Task<RedisProtocolServer> StartAsync() => await RedisServer.StartAsync();
}

public sealed class GarnetBackendServer : BackendServer
{
    private protected override async Task<RedisProtocolServer> StartAsync() => await GarnetServer.StartAsync();
}

[CollectionDefinition("Redis backend")]
public sealed class RedisBackendGroup : ICollectionFixture<RedisBackendServer>;

[CollectionDefinition("Garnet backend")]
public sealed class GarnetBackendGroup : ICollectionFixture<GarnetBackendServer>;
