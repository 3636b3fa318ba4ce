using System.Net.Sockets;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class RedisProtocolServerTests
{
    [ServerFact(Needs.Redis)]
    public async Task Redis_starts_answers_counts_and_frees_its_port_when_killed()
    {
        await using var redis = await RedisServer.StartAsync();
        await CheckAsync(redis);
    }

    [ServerFact(Needs.Garnet)]
    public async Task Garnet_starts_answers_counts_and_frees_its_port_when_killed()
    {
        await using var garnet = await GarnetServer.StartAsync();
        await CheckAsync(garnet);
    }

    [ServerFact(Needs.Redis)]
    public async Task An_append_only_redis_keeps_its_data_over_a_kill()
    {
        await using var redis = await RedisServer.StartAsync(new() { AppendOnly = true });
        await CheckRestartAsync(redis, kept: true);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_redis_without_a_file_forgets()
    {
        await using var redis = await RedisServer.StartAsync();
        await CheckRestartAsync(redis, kept: false);
    }

    [ServerFact(Needs.Garnet)]
    public async Task An_append_only_garnet_keeps_its_data_over_a_kill()
    {
        await using var garnet = await GarnetServer.StartAsync(new() { AppendOnly = true });
        await CheckRestartAsync(garnet, kept: true);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_frozen_server_answers_nothing_until_it_thaws()
    {
        await using var redis = await RedisServer.StartAsync();
        redis.Freeze();
        var pending = redis.CommandAsync("PING");
        await Task.Delay(100);
        Assert.False(pending.IsCompleted);
        redis.Thaw();
        Assert.Equal("PONG", (await pending).Text);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_frozen_server_can_be_killed()
    {
        await using var redis = await RedisServer.StartAsync();
        redis.Freeze();
        redis.Kill();
        Assert.Equal(128 + 9, redis.Process.ExitCode);
    }

    [ServerFact(Needs.Redis)]
    public async Task Redis_obeys_the_commands_that_make_faults()
    {
        await using var redis = await RedisServer.StartAsync();
        using var victim = await RespClient.ConnectAsync(redis.Port);
        await victim.CommandAsync(["PING"]);
        Assert.Equal("OK", (await redis.CommandAsync("SCRIPT", "FLUSH")).Text);
        Assert.Equal("OK", (await redis.CommandAsync("DEBUG", "SLEEP", "0")).Text);
        Assert.Equal("1", (await redis.CommandAsync("CLIENT", "KILL", "TYPE", "normal")).Text);
        await Assert.ThrowsAnyAsync<IOException>(() => victim.CommandAsync(["PING"]));
        var error = await Assert.ThrowsAsync<RespException>(() => redis.CommandAsync("NONSENSE"));
        Assert.StartsWith("ERR unknown command", error.Message, StringComparison.Ordinal);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_server_that_cannot_start_says_why()
    {
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => RedisServer.StartAsync(new() { ExtraArguments = ["--no-such-option", "1"] }));
        Assert.Contains("no-such-option", error.Message, StringComparison.Ordinal);
    }

    private static async Task CheckAsync(RedisProtocolServer server)
    {
        Assert.Equal("OK", (await server.CommandAsync("SET", "a", "é")).Text);
        await server.ResetCommandCallsAsync();
        Assert.Equal("é", (await server.CommandAsync("GET", "a")).Text);
        Assert.Equal("[1, (nil), x]", (await server.CommandAsync("EVAL", "return {1, false, 'x'}", "0")).ToString());
        var calls = await server.CommandCallsAsync();
        Assert.Equal(1, calls["get"]);
        Assert.Equal(1, calls["eval"]);
        Assert.False(calls.ContainsKey("set"));

        server.Kill();
        var refusal = await Assert.ThrowsAsync<SocketException>(() => server.CommandAsync("PING"));
        Assert.Equal(SocketError.ConnectionRefused, refusal.SocketErrorCode);
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, server.Port);
        listener.Start();
    }

    private static async Task CheckRestartAsync(RedisProtocolServer server, bool kept)
    {
        await server.CommandAsync("SET", "a", "b");
        server.Kill();
        await server.RestartAsync();
        Assert.Equal(kept ? "b" : null, (await server.CommandAsync("GET", "a")).Text);
    }
}
