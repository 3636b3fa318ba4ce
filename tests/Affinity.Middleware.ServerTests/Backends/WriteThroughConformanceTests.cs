using Affinity.Backends.Memory;
using Affinity.ServerTests.Backends.Postgres;
using Affinity.Sessions;
using Affinity.TestKit.Conformance;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>With copies that answer by themselves. A server of its own, as for the others below: the suites wait for times to pass, and can do so side by side.</summary>
public sealed class WriteThroughSessionStoreConformanceTests(RedisBackendServer server) : WriteThroughConformance(server, TimeSpan.FromHours(1)), IClassFixture<RedisBackendServer>;

/// <summary>With copies that the database confirms at each read.</summary>
public sealed class WriteThroughSessionStoreConfirmingConformanceTests(RedisBackendServer server) : WriteThroughConformance(server, TimeSpan.Zero), IClassFixture<RedisBackendServer>;

/// <summary>A real Redis in front of a store in this process.</summary>
public abstract class WriteThroughConformance(Backend backend, TimeSpan maxAge) : SessionStoreConformance
{
    protected override ISessionStore Store { get; } = new WriteThroughNode(new MemorySessionStore(TimeProvider.System), backend.Connection, $"t{Guid.NewGuid():N}:", maxAge).Store;

    // A busy machine may take the time limits of two cache calls out of the half of it.
    protected override TimeSpan Soon => TimeSpan.FromMilliseconds(1500);

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}

/// <summary>A real Redis in front of a real PostgreSQL.</summary>
public sealed class WriteThroughSessionStoreOverPostgresConformanceTests : SessionStoreConformance, IClassFixture<PostgresBackendServer>, IClassFixture<RedisBackendServer>, IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresNode _database;

    public WriteThroughSessionStoreOverPostgresConformanceTests(PostgresBackendServer database, RedisBackendServer cache)
    {
        _database = new PostgresNode(database.Server.ConnectionString, PostgresBackendServer.SchemaOf<WriteThroughSessionStoreOverPostgresConformanceTests>());
        Store = new WriteThroughNode(_database.Store, cache.Connection, $"t{Guid.NewGuid():N}:").Store;
    }

    protected override ISessionStore Store { get; }

    // A busy machine may take the time limits of two cache calls out of the half of it.
    protected override TimeSpan Soon => TimeSpan.FromMilliseconds(1500);

    public Task InitializeAsync() => Task.CompletedTask;

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}
