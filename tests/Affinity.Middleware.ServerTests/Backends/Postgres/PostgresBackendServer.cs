using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>One server for all facts of the collection, which keep apart by their schemas.</summary>
public sealed class PostgresBackendServer : IAsyncLifetime, IAsyncDisposable
{
    private PostgresServer? _server;

    internal PostgresServer Server => _server!;

    /// <summary>One schema for those facts of a class that keep apart by themselves: to make one takes some ten milliseconds.</summary>
    internal static string SchemaOf<T>() => $"t_{typeof(T).Name.ToLowerInvariant()[..Math.Min(typeof(T).Name.Length, 45)]}";

    public async Task InitializeAsync() => _server = await PostgresServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _server, value: null) is { } server)
        {
            await server.DisposeAsync();
        }
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();
}

[CollectionDefinition("Postgres backend")]
public sealed class PostgresBackendGroup : ICollectionFixture<PostgresBackendServer>;
