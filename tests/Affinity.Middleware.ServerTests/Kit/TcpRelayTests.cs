using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Kit;

[Collection(MeasuredAlone.Name)]
public sealed class TcpRelayTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private RedisServer _redis = null!;
    private TcpRelay _relay = null!;
    private RespClient _client = null!;

    public async Task InitializeAsync()
    {
        if (Requirements.SkipReason(Needs.Redis) is null)
        {
            _redis = await RedisServer.StartAsync();
            _relay = new TcpRelay(_redis.Port);
            _client = await RespClient.ConnectAsync(_relay.Port);

            // The kernel takes a connection before the relay does; one that has answered is there to be counted and cut.
            await PingAsync(1);
        }
    }

    public async Task DisposeAsync() => await (_redis?.DisposeAsync() ?? ValueTask.CompletedTask);

    public void Dispose()
    {
        _client?.Dispose();
        _relay?.Dispose();
    }

    [ServerTheory(Needs.Redis)]
    [InlineData(20, 40, 60)]
    [InlineData(1, 2, 4)]
    [InlineData(0, 0, 2)]
    public async Task A_round_trip_takes_the_delay_of_both_ways(int delay, double atLeast, double below)
    {
        await PingAsync(30);
        SetDelay(delay);
        var trips = await PingAsync(delay > 10 ? 20 : 200);
        output.WriteLine($"{delay} ms each way: min {trips[0]:F3}, median {trips[trips.Count / 2]:F3}, p95 {trips[trips.Count * 95 / 100]:F3}, max {trips[^1]:F3} ms");

        Assert.InRange(trips[0], atLeast, below);
        Assert.InRange(trips[trips.Count / 2], atLeast, below);
    }

    [ServerFact(Needs.Redis)]
    public async Task Delay_is_latency_and_not_throughput()
    {
        SetDelay(20);
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < 100; i++)
        {
            await _client.SendAsync(["ECHO", $"{i}"]);
        }

        for (var i = 0; i < 100; i++)
        {
            Assert.Equal($"{i}", (await _client.ReadAsync()).Text);
        }

        var took = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        output.WriteLine($"100 pipelined commands at 20 ms each way: {took:F1} ms");
        Assert.InRange(took, 40, 200);
    }

    [ServerFact(Needs.Redis)]
    public async Task An_idle_relay_burns_no_processor()
    {
        SetDelay(1);
        await PingAsync(10);
        var before = ProcessorTimeOfRelays();
        await Task.Delay(500);
        var (threads, used) = (ProcessorTimeOfRelays().Threads, ProcessorTimeOfRelays().Milliseconds - before.Milliseconds);
        output.WriteLine($"processor time of {threads} relay threads in 500 idle ms: {used} ms");
        Assert.True(threads >= 5, "A listener, and a reader and a delivery each way, were to be measured.");
        Assert.InRange(used, 0, 20);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_cut_resets_both_sides_and_a_new_connection_works()
    {
        var pending = _client.ReadAsync();
        _relay.CutAll();
        var fault = await Assert.ThrowsAsync<IOException>(() => pending.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(fault.InnerException).SocketErrorCode);
        Assert.Equal(0, _relay.OpenConnections);

        using var again = await RespClient.ConnectAsync(_relay.Port);
        Assert.Equal("PONG", (await again.CommandAsync(["PING"])).Text);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_jitter_varies_the_delay_by_as_much_in_both_directions_of_time()
    {
        (_relay.DelayToServer, _relay.Jitter) = (TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10));
        var trips = await PingAsync(60);
        output.WriteLine($"two ways of 10 ± 10 and 0 ± 10 ms: min {trips[0]:F1}, median {trips[trips.Count / 2]:F1}, max {trips[^1]:F1} ms");

        Assert.True(trips[0] < 9, "No trip was shorter than the delay.");
        Assert.True(trips[^1] > 15, "No trip was longer than the delay.");
    }

    [ServerFact(Needs.Redis)]
    public async Task A_share_of_resets_breaks_the_connection_sooner_or_later()
    {
        _relay.ResetShare = 0.2;
        var answered = 0;
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            for (; answered < 500; answered++)
            {
                await _client.CommandAsync(["PING"]);
            }
        });
        output.WriteLine($"{answered} commands before the first reset");

        // The reset reaches the client before the relay has taken the pair off its list.
        await Eventually(() => Task.FromResult(_relay.OpenConnections == 0));
    }

    /// <summary>The loss ended between a swallowed reply and the reset: the next reply was delivered, and two saves were answered with each other's results.</summary>
    [ServerFact(Needs.Redis)]
    public async Task Nothing_follows_on_a_lost_reply_whenever_the_loss_ends()
    {
        var resets = 0;
        for (var round = 0; round < 40; round++)
        {
            using var client = await RespClient.ConnectAsync(_relay.Port);
            var sending = Task.Run(async () =>
            {
                for (var i = 0; i < 300; i++)
                {
                    await client.SendAsync(["ECHO", $"{i}"]);
                    if (i is 100 or 150)
                    {
                        _relay.DropReplies = i == 100;
                        await Task.Delay(1);
                    }
                }
            });
            try
            {
                for (var i = 0; i < 300; i++)
                {
                    Assert.Equal($"{i}", (await client.ReadAsync()).Text);
                }
            }
            catch (Exception exception) when (exception is IOException)
            {
                resets++;
            }

            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _relay.DropReplies = false;
        }

        output.WriteLine($"{resets} of 40 connections lost a reply and were reset");
        Assert.NotEqual(0, resets);
    }

    [ServerFact(Needs.Redis)]
    public async Task Held_back_bytes_arrive_when_the_hold_ends()
    {
        _relay.Hold = true;
        var pending = _client.CommandAsync(["SET", "a", "b"]);
        await Task.Delay(100);
        Assert.False(pending.IsCompleted);
        Assert.True((await _redis.CommandAsync("GET", "a")).IsNil);

        _relay.Hold = false;
        Assert.Equal("OK", (await pending.WaitAsync(TimeSpan.FromSeconds(5))).Text);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_dropped_reply_leaves_the_write_made_and_the_client_in_the_dark()
    {
        _relay.DropReplies = true;
        var pending = _client.CommandAsync(["SET", "a", "b"]);
        await Eventually(async () => (await _redis.CommandAsync("GET", "a")).Text is "b");
        Assert.False(pending.IsCompleted);

        // Wait until the reply has been swallowed, else it would simply be late.
        await Eventually(() => Task.FromResult(_relay.BytesToClient >= "+OK\r\n".Length));
        await Task.Delay(50);
        _relay.DropReplies = false;
        await Assert.ThrowsAsync<IOException>(() => pending.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_refusing_relay_refuses_and_then_takes_again()
    {
        _relay.Refuse = true;
        var refusal = await Assert.ThrowsAsync<SocketException>(() => RespClient.ConnectAsync(_relay.Port));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        Assert.Equal("PONG", (await _client.CommandAsync(["PING"])).Text);

        _relay.Refuse = false;
        using var again = await RespClient.ConnectAsync(_relay.Port);
        Assert.Equal("PONG", (await again.CommandAsync(["PING"])).Text);
    }

    [ServerFact(Needs.Redis)]
    public async Task Commands_connections_and_bytes_are_counted()
    {
        _relay.ResetCounters();
        await _client.CommandAsync(["set", "a", "PING"]);
        await _client.CommandAsync(["EVAL", "return redis.call('get', 'a')", "0"]);
        using (var second = await RespClient.ConnectAsync(_relay.Port))
        {
            await second.CommandAsync(["PING"]);
        }

        Assert.Equal(new Dictionary<string, long>(StringComparer.Ordinal) { ["SET"] = 1, ["EVAL"] = 1, ["PING"] = 1 }, _relay.Commands);
        Assert.Equal(2, _relay.CommandCount("eval", "evalsha", "set"));
        Assert.Equal(1, _relay.Connections);
        Assert.Equal("+OK\r\n$4\r\nPING\r\n+PONG\r\n".Length, _relay.BytesToClient);
        await Eventually(() => Task.FromResult(_relay.OpenConnections == 1));
    }

    // The relay's own threads only: what the runtime compiles meanwhile on others is not its doing.
    private static (int Threads, long Milliseconds) ProcessorTimeOfRelays()
    {
        var times = new List<long>();
        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            // "id (name) state …", user and system time are the fields 14 and 15, in hundredths of a second.
            var stat = File.ReadAllText(Path.Combine(thread, "stat")).Split('(', ')');
            if (stat[1].StartsWith("relay ", StringComparison.Ordinal))
            {
                times.Add(stat[2].Split(' ', StringSplitOptions.RemoveEmptyEntries)[11..13].Sum(field => 10 * long.Parse(field, CultureInfo.InvariantCulture)));
            }
        }

        return (times.Count, times.Sum());
    }

    private static async Task Eventually(Func<Task<bool>> isSo)
    {
        for (var i = 0; !await isSo(); i++)
        {
            Assert.True(i < 250, "It did not come true within 5 s.");
            await Task.Delay(20);
        }
    }

    private void SetDelay(int milliseconds)
    {
        _relay.DelayToServer = TimeSpan.FromMilliseconds(milliseconds);
        _relay.DelayToClient = TimeSpan.FromMilliseconds(milliseconds);
    }

    private async Task<List<double>> PingAsync(int times)
    {
        var trips = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await _client.CommandAsync(["PING"]);
            trips.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }

        trips.Sort();
        return trips;
    }
}
