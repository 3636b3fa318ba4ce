using System.Collections.Concurrent;
using System.Diagnostics;
using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>What becomes of visitors while the cache in front of the database breaks: nothing. Two nodes read and write the same sessions, each request with the version that the visitor was answered last.</summary>
public sealed class WriteThroughFaultTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task An_emptied_cache_makes_no_errors_and_no_stale_answers() => await RunAsync(async server =>
    {
        for (var i = 0; i < 10; i++)
        {
            await server.CommandAsync("FLUSHALL");
            await Task.Delay(50);
        }
    });

    [ServerFact(Needs.Redis)]
    public async Task A_cache_that_is_killed_and_comes_back_empty_makes_no_errors_and_no_stale_answers() => await RunAsync(
        async server =>
        {
            server.Kill();
            await Task.Delay(500);
            await server.RestartAsync();
        },
        mayBeAway: true);

    [ServerFact(Needs.Redis)]
    public async Task A_frozen_cache_costs_each_request_under_way_one_time_limit_and_later_ones_nothing()
    {
        var (slow, requests) = await RunAsync(
            async server =>
            {
                server.Freeze();
                await Task.Delay(1500);
                server.Thaw();
            },
            mayBeAway: true);

        // Each visitor has one request under way. If later ones waited as well, most of a second and a half would be slow.
        Assert.InRange(slow, 1, requests / 4);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_cache_that_evicts_makes_no_errors_and_no_stale_answers() => await RunAsync(
        async server =>
        {
            await Task.Delay(500);
            var evicted = await server.CommandAsync("INFO", "stats");
            Assert.DoesNotContain("evicted_keys:0\r", evicted.ToString(), StringComparison.Ordinal);
        },
        arguments: ["--maxmemory", "2mb", "--maxmemory-policy", "allkeys-lru"],
        payload: 30_000);

    [ServerFact(Needs.Redis)]
    public async Task A_cache_that_is_full_and_refuses_makes_no_errors_and_no_stale_answers() => await RunAsync(
        server => Task.Delay(500),
        arguments: ["--maxmemory", "2mb", "--maxmemory-policy", "noeviction"],
        payload: 30_000);

    private async Task<(int Slow, int Requests)> RunAsync(Func<RedisServer, Task> harm, bool mayBeAway = false, string[]? arguments = null, int payload = 100)
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = arguments ?? [] });
        await using var load = new Load(server.ConnectionString, payload);
        await load.GoOnAsync();
        await harm(server);
        await load.GoOnAsync();
        if (mayBeAway)
        {
            await UntilAsync(() => load.IsBack, "The nodes did not find the cache again.");
            await load.GoOnAsync();
        }

        await load.StopAsync();
        output.WriteLine(load.ToString());
        Assert.Empty(load.Errors);
        Assert.Equal(0, load.Stale);
        Assert.True(load.FromCache > 0);
        return (load.Slow, load.Requests);
    }

    private static async Task UntilAsync(Func<bool> isSo, string otherwise)
    {
        var watch = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), otherwise);
            await Task.Delay(10);
        }
    }

    private sealed class Load : IAsyncDisposable
    {
        public const int Visitors = 60;
        private static readonly TimeSpan Limit = TimeSpan.FromMilliseconds(200);

        private readonly CancellationTokenSource _end = new();
        private readonly WriteThroughNode[] _nodes;
        private readonly Task[] _visitors;
        private int _requests;
        private int _stale;
        private int _slow;
        private int _reads;

        public Load(string configuration, int payload)
        {
            var database = new MemorySessionStore(TimeProvider.System);
            _nodes = [new WriteThroughNode(database, configuration), new WriteThroughNode(database, configuration)];
            _visitors = [.. Enumerable.Range(0, Visitors).Select(_ => Task.Run(() => VisitAsync(new byte[payload])))];
        }

        public ConcurrentQueue<Exception> Errors { get; } = new();

        public int Stale => _stale;

        public int Slow => _slow;

        public int Requests => _requests;

        public int FromCache => _reads - _nodes.Sum(node => node.Database.Reads);

        public bool IsBack => _nodes.All(node => node.Logged.Count(line => line == "SessionCacheAway") == node.Logged.Count(line => line == "SessionCacheBack"));

        public async Task GoOnAsync()
        {
            var until = Volatile.Read(ref _requests) + (Visitors * 6);
            await UntilAsync(() => Volatile.Read(ref _requests) >= until, "The visitors do not go on.");
        }

        public async Task StopAsync()
        {
            await _end.CancelAsync();
            await Task.WhenAll(_visitors);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            foreach (var node in _nodes)
            {
                await node.DisposeAsync();
            }

            _end.Dispose();
        }

        public override string ToString() =>
            $"{_requests} requests, {_reads} of them reads, {FromCache} without the database; {Errors.Count} errors, {_stale} stale, {_slow} slower than {Limit.TotalMilliseconds} ms; left alone {_nodes.Sum(node => node.Logged.Count(line => line == "SessionCacheAway"))} times";

        /// <summary>Writes now and then and reads what it wrote, on whichever node.</summary>
        private async Task VisitAsync(byte[] payload)
        {
            var key = SessionKey.Of(SessionId.Create());
            var version = SessionVersion.None;
            while (!_end.IsCancellationRequested)
            {
                var node = _nodes[Random.Shared.Next(_nodes.Length)];
                var watch = Stopwatch.StartNew();
                try
                {
                    if (version.IsNone || Random.Shared.Next(5) == 0)
                    {
                        version = await node.WriteAsync(key, version, payload);
                    }
                    else
                    {
                        await ReadAsync(node, key, version);
                    }
                }
                catch (Exception e) when (e is SessionStoreException or InvalidOperationException)
                {
                    Errors.Enqueue(e);
                }

                Interlocked.Increment(ref _requests);
                if (watch.Elapsed >= Limit)
                {
                    Interlocked.Increment(ref _slow);
                }

                await Task.Delay(Random.Shared.Next(5, 40));
            }
        }

        /// <summary>As the session stage does: what is older than the ticket is asked of whoever decides.</summary>
        private async Task ReadAsync(WriteThroughNode node, SessionKey key, SessionVersion version)
        {
            Interlocked.Increment(ref _reads);
            var read = await node.ReadAsync(key);
            if (read.Session is null || read.Session.Version.Counter < version.Counter)
            {
                read = await node.Store.ReadLatestAsync(key, default, default);
            }

            if (read.Session?.Version != version)
            {
                Interlocked.Increment(ref _stale);
            }
        }
    }
}
