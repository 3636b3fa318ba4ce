using System.Diagnostics;
using System.Globalization;
using System.Net;
using Affinity.Backends.Redis;
using Affinity.TestKit;
using Affinity.TestKit.ProbeApp;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Farm;

/// <summary>Two nodes that remember sessions: what one of them ends or renews the other refuses, at once when it hears of it and soon when it does not.</summary>
public sealed class NearCacheTests(ITestOutputHelper output, NearCacheTests.ShortMemory farms) : IClassFixture<NearCacheTests.ShortMemory>
{
    private static readonly string Channel = RedisSessionStore.ChannelOf(new RedisOptions { KeyPrefix = RedisOptions.PrefixOf(typeof(SessionProbe).Assembly.GetName().Name!) });
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(1.5);

    private static readonly (string Key, string Value)[] Quiet = [("Affinity:Node:HeartbeatInterval", "00:01:00"), ("Affinity:Node:DeadAfter", "00:10:00")];

    private ProbeFarm Farm => farms.Farm;

    [ServerFact(Needs.Redis)]
    public async Task What_was_ended_renewed_or_signed_out_elsewhere_is_refused_at_once()
    {
        // A memory of a minute: nothing but the announcement can end it sooner.
        await using var farm = await ProbeFarm.StartAsync(2, settings: [.. Quiet, ("Affinity:Sessions:NearCache:MaxAge", "00:01:00")]);
        foreach (var ending in new[] { "abandon", "signin?name=somebody", "signout" })
        {
            var visitor = new Visitor();
            var copy = await RememberedAsync(farm, visitor);
            await EndAsync(farm[0], visitor, ending);
            var ended = Stopwatch.GetTimestamp();
            await Eventually.AnswersAsync(farm[1], "get/x", HttpStatusCode.NotFound, copy);
            var took = Stopwatch.GetElapsedTime(ended);

            output.WriteLine($"{ending}: refused on the other node after {took.TotalMilliseconds:N0} ms");
            Assert.InRange(took, TimeSpan.Zero, TimeSpan.FromSeconds(5));
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task Without_the_announcement_it_is_refused_when_the_memory_has_aged()
    {
        foreach (var ending in new[] { "abandon", "signin?name=somebody" })
        {
            await UnheardAsync(async () =>
            {
                var visitor = new Visitor();
                var copy = await RememberedAsync(Farm, visitor);
                await EndAsync(Farm[0], visitor, ending);
                await ServedUntilAgedAsync(copy);
            });
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task While_the_subscription_is_down_it_is_refused_when_the_memory_has_aged_and_afterwards_the_node_listens_again()
    {
        using var stop = new CancellationTokenSource();
        var killing = KillSubscriptionsAsync(stop.Token);
        try
        {
            var visitor = new Visitor();
            var copy = await RememberedAsync(Farm, visitor);
            await EndAsync(Farm[0], visitor, "abandon");
            var ended = Stopwatch.GetTimestamp();
            await AgeAsync(ended);
            using var refused = await copy.GetAsync(Farm[1], "get/x");
            Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
        }
        finally
        {
            await stop.CancelAsync();
        }

        Assert.True(await killing > 0, "No subscription was ever there to be killed.");
        await ListenAsync(2);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_node_that_was_frozen_neither_overwrites_nor_serves_what_is_over_when_it_wakes()
    {
        var (changed, ended) = (new Visitor(), new Visitor());
        await RememberedAsync(Farm, changed);
        var copy = await RememberedAsync(Farm, ended);
        var late = changed.Clone().PostAsync(Farm[1], "held/late/1/changed");
        var tooLate = copy.Clone().PostAsync(Farm[1], "held/x/back/ended");
        (await new Visitor().GetAsync(Farm[1], "entered/changed")).EnsureSuccessStatusCode();
        (await new Visitor().GetAsync(Farm[1], "entered/ended")).EnsureSuccessStatusCode();

        Task<HttpResponseMessage> asleep = null!;
        await UnheardAsync(async () =>
        {
            Farm.Nodes[1].Freeze();
            try
            {
                (await changed.PostAsync(Farm[0], "set/x/2")).EnsureSuccessStatusCode();
                (await changed.PostAsync(Farm[0], "set/early/1")).EnsureSuccessStatusCode();
                await EndAsync(Farm[0], ended, "abandon");
                await AgeAsync(Stopwatch.GetTimestamp());
                asleep = copy.GetAsync(Farm[1], "get/x");
            }
            finally
            {
                Farm.Nodes[1].Thaw();
            }

            using var served = await asleep;
            Assert.Equal(HttpStatusCode.NotFound, served.StatusCode);
        });

        Assert.Equal("2", await changed.GetStringAsync(Farm[1], "get/x"));
        (await new Visitor().PostAsync(Farm[1], "release/changed")).EnsureSuccessStatusCode();
        (await new Visitor().PostAsync(Farm[1], "release/ended")).EnsureSuccessStatusCode();
        using var merged = await late;
        using var refused = await tooLate;
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.Conflict), (merged.StatusCode, refused.StatusCode));
        await AgeAsync(Stopwatch.GetTimestamp());
        foreach (var node in Farm.Nodes)
        {
            Assert.Equal("[\"early\",\"late\",\"x\"]", await changed.GetStringAsync(node.BaseAddress, "keys"));
            Assert.Equal("2", await changed.GetStringAsync(node.BaseAddress, "get/x"));
            using var gone = await copy.GetAsync(node.BaseAddress, "get/x");
            Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task A_session_that_is_only_read_on_one_node_lives_on_by_one_touch_per_fraction_and_ends_when_nobody_reads()
    {
        var idle = TimeSpan.FromSeconds(1.6);
        await using var farm = await ProbeFarm.StartAsync(1, settings:
        [
            .. Quiet, ("Affinity:Sessions:IdleTimeout", idle.ToString()), ("Affinity:Sessions:TouchAfter", "0.25"), ("Affinity:Sessions:NearCache:MaxAge", "00:01:00"),
        ]);
        var visitor = new Visitor();
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
        var before = await SlidesAsync(farm);

        // Two tabs, so that requests overlap with the touches that others of them have asked for.
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            while (Stopwatch.GetElapsedTime(began) < idle * 2.2)
            {
                Assert.Equal("1", await visitor.GetStringAsync(farm[0], "get/x"));
                await Task.Delay(40);
            }
        }));
        var touches = await SlidesAsync(farm) - before;
        var elapsed = Stopwatch.GetElapsedTime(began);

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"read for {elapsed.TotalSeconds:N1} s with an idle timeout of {idle.TotalSeconds} s: {touches} touches"));
        Assert.InRange(touches, 2, (long)(elapsed / (idle * 0.25)));
        await Task.Delay(idle + TimeSpan.FromMilliseconds(100));
        using var over = await visitor.GetAsync(farm[0], "get/x");
        Assert.Equal(HttpStatusCode.NotFound, over.StatusCode);
    }

    /// <summary>A session that node 0 has made and node 1 remembers; answers a copy of the visitor as the visitor is now.</summary>
    private static async Task<Visitor> RememberedAsync(ProbeFarm farm, Visitor visitor)
    {
        (await visitor.PostAsync(farm[0], "set/x/1")).EnsureSuccessStatusCode();
        Assert.Equal("1", await visitor.GetStringAsync(farm[1], "get/x"));
        Assert.Contains("\"origin\":\"NearCache\"", await visitor.GetStringAsync(farm[1], "affinity"), StringComparison.Ordinal);
        return visitor.Clone();
    }

    private static async Task EndAsync(Uri node, Visitor visitor, string how)
    {
        using var response = how == "abandon" ? await visitor.PostAsync(node, how) : await visitor.GetAsync(node, how);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Nobody may publish meanwhile: the ending itself must not fail, and nobody hears of it.</summary>
    private async Task UnheardAsync(Func<Task> act)
    {
        await Farm.Redis.CommandAsync("ACL", "SETUSER", "default", "-publish");
        try
        {
            await act();
        }
        finally
        {
            await Farm.Redis.CommandAsync("ACL", "SETUSER", "default", "+publish");
        }
    }

    /// <summary>That it is served at first shows that the node has not heard; whatever is sent when the memory has aged is refused.</summary>
    private async Task ServedUntilAgedAsync(Visitor copy)
    {
        var ended = Stopwatch.GetTimestamp();
        using (var served = await copy.GetAsync(Farm[1], "get/x"))
        {
            Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        }

        await AgeAsync(ended);
        using var refused = await copy.GetAsync(Farm[1], "get/x");
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    private static async Task AgeAsync(long since)
    {
        var left = MaxAge - Stopwatch.GetElapsedTime(since) + TimeSpan.FromMilliseconds(20);
        await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero);
    }

    /// <summary>The client subscribes anew within milliseconds, so this goes on without a pause.</summary>
    private async Task<int> KillSubscriptionsAsync(CancellationToken stop)
    {
        using var client = await RespClient.ConnectAsync(Farm.Redis.Port, CancellationToken.None);
        var killed = 0;
        while (!stop.IsCancellationRequested)
        {
            killed += int.Parse((await client.CommandAsync(["CLIENT", "KILL", "TYPE", "pubsub"], CancellationToken.None)).Text!, CultureInfo.InvariantCulture);
            await Task.Delay(1, CancellationToken.None);
        }

        return killed;
    }

    private async Task ListenAsync(int nodes)
    {
        var listening = "";
        for (var tries = 0; tries < 200 && listening != nodes.ToString(CultureInfo.InvariantCulture); tries++)
        {
            await Task.Delay(50);
            listening = (await Farm.Redis.CommandAsync("PUBSUB", "NUMSUB", Channel)).Items![1].Text;
        }

        Assert.Equal(nodes.ToString(CultureInfo.InvariantCulture), listening);
    }

    /// <summary>What the scripts of a write and of a touch call once each.</summary>
    private static async Task<long> SlidesAsync(ProbeFarm farm) => (await farm.Redis.CommandCallsAsync()).GetValueOrDefault("pexpire");

    /// <summary>Two nodes whose memory ages in a second and a half.</summary>
    public sealed class ShortMemory : IAsyncLifetime
    {
        private ProbeFarm? _farm;

        internal ProbeFarm Farm => _farm!;

        public async Task InitializeAsync() => _farm = await ProbeFarm.StartAsync(2, settings: [.. Quiet, ("Affinity:Sessions:NearCache:MaxAge", MaxAge.ToString())]);

        public async Task DisposeAsync() => await _farm!.DisposeAsync();
    }
}
