using System.Diagnostics;
using System.Globalization;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Two nodes, PostgreSQL that decides, and Redis in front of it.</summary>
public sealed class WriteThroughTests(ITestOutputHelper output, WriteThroughTests.Nodes nodes) : IClassFixture<WriteThroughTests.Nodes>
{
    private const int Visitors = 16;
    private const int RequestsEach = 40;

    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task The_cache_spares_the_database_most_trips_of_visitors_who_roam_and_no_answer_is_stale()
    {
        var plain = await TripsAsync("Postgres");
        var cached = await TripsAsync("RedisOverPostgres");

        output.WriteLine($"{Visitors} visitors at any of two nodes that remember nothing, {Visitors * RequestsEach} requests, every tenth a write: {plain} trips to PostgreSQL, {cached} with Redis in front of it");
        Assert.True(cached < plain * 0.7, $"{cached} trips with the cache, {plain} without.");
    }

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task Without_the_database_what_the_cache_holds_is_read_on_every_node_and_changes_are_kept_until_it_is_back()
    {
        await HaveCacheAsync();
        var visitors = Enumerable.Range(0, 6).Select(_ => new Visitor()).ToArray();
        foreach (var visitor in visitors)
        {
            (await visitor.PostAsync(Farm[0], "set/n/1")).EnsureSuccessStatusCode();
        }

        nodes.Network.Refuse = true;
        nodes.Network.CutAll();
        try
        {
            await Task.WhenAll(visitors.Select(async visitor => Assert.Equal("1", await visitor.GetStringAsync(Farm[1], "loaded/n"))));
            foreach (var visitor in visitors)
            {
                (await visitor.PostAsync(Farm[1], "set/n/2")).EnsureSuccessStatusCode();
                (await visitor.PostAsync(Farm[0], "set/m/3")).EnsureSuccessStatusCode();
                Assert.Equal("2", await visitor.GetStringAsync(Farm[1], "loaded/n"));
            }
        }
        finally
        {
            nodes.Network.Refuse = false;
        }

        await Eventually.WritesAsync(Farm[0], TimeSpan.FromSeconds(10));
        await Eventually.WritesAsync(Farm[1], TimeSpan.FromSeconds(10));
        foreach (var visitor in visitors)
        {
            Assert.Equal("2", await visitor.GetStringAsync(Farm[0], "loaded/n"));
            Assert.Equal("3", await visitor.GetStringAsync(Farm[1], "loaded/m"));
        }
    }

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public async Task A_frozen_an_emptied_and_a_killed_cache_refuse_nobody_and_lose_nothing()
    {
        Farm.Redis.Freeze();
        try
        {
            await RoamAsync(Farm);
        }
        finally
        {
            Farm.Redis.Thaw();
        }

        await RoamAsync(Farm);
        await Farm.Redis.CommandAsync("FLUSHALL");
        await RoamAsync(Farm);
        Farm.Redis.Kill();
        await RoamAsync(Farm);
        await Farm.Redis.RestartAsync();
        await RoamAsync(Farm);
    }

    /// <summary>Another fact may have broken it, and so may a busy machine.</summary>
    private async Task HaveCacheAsync()
    {
        for (var patience = Stopwatch.StartNew(); Farm.Nodes.Any(node => Count(node, "database does not answer (") != Count(node, "database answers again"));)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(20), "A node does not find its cache again.");
            await Task.Delay(50);
        }

        static int Count(AppProcess node, string text) => node.Output.Lines().Count(line => line.Contains(text, StringComparison.Ordinal));
    }

    private async Task<long> TripsAsync(string store)
    {
        using var relay = new TcpRelay(nodes.Database.Port);
        await using var farm = await StartAsync(relay, store, ("Affinity:Sessions:NearCache:Enabled", "false"), ("Affinity:Application", store + "Measured"));
        await RoamAsync(farm);
        var before = relay.CommandCount("SYNC", "QUERY");
        await RoamAsync(farm, RequestsEach);
        return relay.CommandCount("SYNC", "QUERY") - before;
    }

    /// <summary>Visitors who come to any node, and see what they were answered last wherever they come.</summary>
    private static Task RoamAsync(ProbeFarm farm, int requests = 10) => Task.WhenAll(Enumerable.Range(0, Visitors).Select(async _ =>
    {
        var visitor = new Visitor();
        for (var (i, written) = (0, 0); i < requests; i++)
        {
            var node = farm[Random.Shared.Next(2)];
            if (i % 10 == 0)
            {
                (await visitor.PostAsync(node, $"set/n/{++written}")).EnsureSuccessStatusCode();
            }
            else
            {
                Assert.Equal(written.ToString(CultureInfo.InvariantCulture), await visitor.GetStringAsync(node, "loaded/n"));
            }
        }
    }));

    private static Task<ProbeFarm> StartAsync(TcpRelay database, string store, params (string Key, string Value)[] more) => ProbeFarm.StartAsync(new FarmStart
    {
        Settings =
        [
            ("Affinity:Store", store), .. more,
            ("ConnectionStrings:affinity-db", $"Host=127.0.0.1;Port={database.Port};Username=affinity;Database=postgres"),
        ],
    });

    /// <summary>Two nodes with Redis over PostgreSQL, which every fact leaves in order.</summary>
    public sealed class Nodes : IAsyncLifetime, IAsyncDisposable
    {
        private PostgresServer? _database;
        private TcpRelay? _network;
        private ProbeFarm? _farm;

        internal PostgresServer Database => _database!;

        internal TcpRelay Network => _network!;

        internal ProbeFarm Farm => _farm!;

        public async Task InitializeAsync()
        {
            if (Requirements.SkipReason(Needs.Redis | Needs.Postgres) is null)
            {
                _database = await PostgresServer.StartAsync();
                _network = new TcpRelay(_database.Port);
                _farm = await StartAsync(_network, "RedisOverPostgres");
            }
        }

        async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

        public async ValueTask DisposeAsync()
        {
            await (_farm?.DisposeAsync() ?? ValueTask.CompletedTask);
            _network?.Dispose();
            await (_database?.DisposeAsync() ?? ValueTask.CompletedTask);
            (_farm, _network, _database) = (null, null, null);
        }
    }
}
