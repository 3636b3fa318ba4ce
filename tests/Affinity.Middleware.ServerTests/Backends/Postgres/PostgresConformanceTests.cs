using System.Globalization;
using Affinity.Nodes;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

[Collection("Postgres backend")]
public sealed class PostgresSessionStoreConformanceTests(PostgresBackendServer server) : SessionStoreConformance, IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresNode _node = new(server.Server.ConnectionString, PostgresBackendServer.SchemaOf<PostgresSessionStoreConformanceTests>());

    protected override ISessionStore Store => _node.Store;

    protected override TimeSpan Soon => RealTime.Sooner;

    public Task InitializeAsync() => Task.CompletedTask;

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);

    protected override async Task PlantAsync(SessionKey key, SessionVersion version)
    {
        await _node.ReadAsync(); // makes the tables
        var bytes = string.Create(CultureInfo.InvariantCulture, $"'\\x{version.Counter:x16}{version.Stamp:x16}'");
        await server.Server.ExecuteAsync(
            $"INSERT INTO {_node.Schema}.sessions (key, version, generation, generation_before, expires_before, expires, absolute, writes, payload) VALUES ('{key.Value}', {bytes}, 0, 0, now(), now() + interval '1 hour', now() + interval '1 hour', {bytes}, 'planted')");
    }
}

[Collection("Postgres backend")]
public sealed class PostgresNodeDirectoryConformanceTests(PostgresBackendServer server) : NodeDirectoryConformance, IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresNode _node = new(server.Server.ConnectionString);

    protected override INodeDirectory Directory => _node.Directory;

    protected override TimeSpan Soon => RealTime.Sooner;

    public Task InitializeAsync() => Task.CompletedTask;

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    protected override Task PassAsync(TimeSpan time) => RealTime.PassAsync(time);
}

[Collection("Postgres backend")]
public sealed class PostgresKeyVaultConformanceTests(PostgresBackendServer server) : KeyVaultConformance, IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresNode _node = new(server.Server.ConnectionString, PostgresBackendServer.SchemaOf<PostgresKeyVaultConformanceTests>());

    protected override IKeyVault Vault => _node.Vault;

    public Task InitializeAsync() => Task.CompletedTask;

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();
}

[Collection("Postgres backend")]
public sealed class PostgresSessionAnnouncementsConformanceTests : SessionAnnouncementsConformance, IAsyncLifetime, IAsyncDisposable
{
    private readonly PostgresServer _server;
    private readonly PostgresNode _node;
    private readonly TcpRelay _network;
    private readonly List<PostgresNode> _others = [];

    public PostgresSessionAnnouncementsConformanceTests(PostgresBackendServer server)
    {
        _server = server.Server;
        _node = new PostgresNode(_server.ConnectionString);
        _network = new TcpRelay(_server.Port);
    }

    protected override ISessionStore Store => _node.Store;

    public Task InitializeAsync() => Task.CompletedTask;

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task What_is_no_announcement_is_passed_over()
    {
        var ears = await ListenAsync(nodes: 1);
        var key = NewKey().Value;
        string[] messages =
        [
            "", " ", "hello", key, key + " ", key + " x", key + " -1", key + " +1", key + " 1 2", key + " 2147483648", key + "  1", " " + key + " 1", key + " 1\n", key[1..] + " 1", key + "A 1", key[1..] + "= 1",
            key[1..] + "\u00e9 1", key + "\t1", key + " \u0661", new string('a', 7_000),
        ];
        foreach (var message in messages)
        {
            await _server.ExecuteAsync($"SELECT pg_notify('{_node.Schema}_stale', E'{message.Replace("\n", "\\n", StringComparison.Ordinal)}')");
        }

        await NothingWasToldAsync(ears);
    }

    [Fact]
    public async Task Another_application_on_the_same_database_is_not_heard()
    {
        var ears = await ListenAsync(nodes: 1);
        await using var other = new PostgresNode(_server.ConnectionString);

        await other.Store.DeleteAsync(NewKey(), TimeSpan.FromHours(1), CancellationToken.None);

        await NothingWasToldAsync(ears);
    }

    [Fact]
    public async Task After_a_lost_connection_announcements_are_heard_again()
    {
        var ears = await ListenAsync(nodes: 2);

        _network.CutAll();

        await Task.WhenAll(ears.Select(HearsAgainAsync));
    }

    [Fact]
    public async Task Who_begins_to_listen_while_the_server_is_away_hears_when_it_is_there()
    {
        _network.Refuse = true;
        var ear = new Ear(OnAnotherNode());
        await DeleteAsync(NewKey());
        Assert.False(await ear.HearsWithinAsync(TimeSpan.FromMilliseconds(200)));

        _network.Refuse = false;

        await HearsAgainAsync(ear);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var other in _others)
        {
            await other.DisposeAsync();
        }

        await _node.DisposeAsync();
        _network.Dispose();
    }

    protected override ISessionAnnouncements OnAnotherNode()
    {
        var other = new PostgresNode($"Host=127.0.0.1;Port={_network.Port};Username=affinity;Database=postgres", _node.Schema);
        _others.Add(other);
        return other.Announcements;
    }
}
