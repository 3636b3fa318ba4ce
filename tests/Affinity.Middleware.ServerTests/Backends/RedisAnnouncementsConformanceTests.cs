using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.TestKit.Conformance;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.ServerTests.Backends;

[Collection("Redis backend")]
public sealed class RedisSessionAnnouncementsConformanceTests(RedisBackendServer server) : RealSessionAnnouncementsConformance(server);

[Collection("Garnet backend")]
public sealed class GarnetSessionAnnouncementsConformanceTests(GarnetBackendServer server) : RealSessionAnnouncementsConformance(server);

public abstract class RealSessionAnnouncementsConformance : SessionAnnouncementsConformance, IAsyncLifetime, IAsyncDisposable
{
    private readonly RedisOptions _options = new() { KeyPrefix = $"t{Guid.NewGuid():N}:" };
    private readonly List<(RedisSessionAnnouncements Announcements, RedisConnection Connection)> _nodes = [];
    private readonly BackendServer _server;
    private readonly TcpRelay _network;

    protected RealSessionAnnouncementsConformance(BackendServer server)
    {
        (_server, _network) = (server, new TcpRelay(server.Server.Port));
        Store = new RedisSessionStore(server.Connection, _options, TimeProvider.System);
    }

    protected override ISessionStore Store { get; }

    private string Channel => RedisSessionStore.ChannelOf(_options);

    [Fact]
    public async Task What_is_no_announcement_is_passed_over()
    {
        var ears = await ListenAsync(nodes: 1);
        var key = NewKey().Value;
        string[] messages =
        [
            "", " ", "hello", key, key + " ", key + " x", key + " -1", key + " +1", key + " 1 2", key + " 2147483648", key + "  1", " " + key + " 1", key + " 1\n", key[1..] + " 1", key + "A 1",
            key[1..] + "= 1", key[1..] + "\u00e9 1", key + "\t1", key + " \u0661", "\0", new string('a', 100_000),
        ];
        foreach (var message in messages)
        {
            Assert.Equal("1", (await _server.Server.CommandAsync("PUBLISH", Channel, message)).Text);
        }

        await NothingWasToldAsync(ears);
    }

    [Fact]
    public async Task Another_application_on_the_same_server_is_not_heard()
    {
        var ears = await ListenAsync(nodes: 1);
        var other = new RedisOptions { KeyPrefix = _options.KeyPrefix + "other:" };

        await new RedisSessionStore(_server.Connection, other, TimeProvider.System).DeleteAsync(NewKey(), TimeSpan.FromHours(1), CancellationToken.None);

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

    protected override ISessionAnnouncements OnAnotherNode()
    {
        var options = new RedisOptions { Configuration = _network.ConnectionString, KeyPrefix = _options.KeyPrefix };
        var connection = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        var announcements = new RedisSessionAnnouncements(connection, options, TimeProvider.System, NullLogger<RedisSessionAnnouncements>.Instance);
        _nodes.Add((announcements, connection));
        return announcements;
    }

    public async Task InitializeAsync()
    {
        // On a busy machine the first connection takes longer than the client waits for it.
        for (var tries = 1; ; tries++)
        {
            try
            {
                await Store.ReadAsync(NewKey(), default, CancellationToken.None);
                return;
            }
            catch (SessionStoreException) when (tries < 100)
            {
                await Task.Delay(100);
            }
        }
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var (announcements, connection) in _nodes)
        {
            announcements.Dispose();
            await connection.DisposeAsync();
        }

        _nodes.Clear();
        _network.Dispose();
        GC.SuppressFinalize(this);
    }
}
