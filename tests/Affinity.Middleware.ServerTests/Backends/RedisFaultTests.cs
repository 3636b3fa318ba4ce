using System.Diagnostics;
using System.Reflection;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>A server of one's own that goes away, refuses, or forgets.</summary>
public sealed class RedisFaultTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    [ServerFact(Needs.Redis)]
    public async Task In_steady_state_every_operation_is_one_command()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await RunAllAsync(backend);
        await server.ResetCommandCallsAsync();

        var operations = 0;
        for (var i = 0; i < 10; i++)
        {
            operations += await RunAllAsync(backend);
        }

        var calls = await server.CommandCallsAsync();
        Assert.Equal(operations - 10, calls["evalsha"]);
        Assert.Equal(10, calls["lrange"]);
        Assert.All(["eval", "script|load", "select"], extra => Assert.False(calls.ContainsKey(extra), extra));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_script_that_the_server_forgot_is_given_again_in_the_same_call()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        var create = BackendHarness.Create(1);
        await backend.WriteAsync(create);
        await server.CommandAsync("SCRIPT", "FLUSH");
        await server.ResetCommandCallsAsync();

        Assert.Equal(SessionReadKind.Found, (await backend.ReadAsync()).Kind);
        Assert.Equal(SessionWriteKind.Written, (await backend.WriteAsync(BackendHarness.After(create.Next, 2))).Kind);

        var calls = await server.CommandCallsAsync();
        Assert.Equal(2, calls["evalsha"]);
        Assert.Equal(2, calls["eval"]);
    }

    [ServerFact(Needs.Redis)]
    public async Task Many_calls_at_once_survive_a_script_flush()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.ReadAsync();
        await server.CommandAsync("SCRIPT", "FLUSH");

        var kinds = await Task.WhenAll(Enumerable.Range(0, 200).Select(
            _ => backend.WriteAsync(BackendHarness.Create(1), SessionKey.Of(SessionId.Create()))));

        Assert.All(kinds, result => Assert.Equal(SessionWriteKind.Written, result.Kind));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_connection_that_the_server_cuts_heals_by_itself_and_is_told_once_each()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.WriteAsync(BackendHarness.Create(1));
        await server.CommandAsync("CLIENT", "KILL", "TYPE", "normal");

        Assert.Equal(SessionReadKind.Found, (await backend.ReadUntilHealedAsync()).Kind);
        Assert.Single(backend.Logged, line => line.StartsWith("RedisConnected:", StringComparison.Ordinal));
        Assert.True(backend.Logged.Length <= 3, string.Join('\n', backend.Logged));
    }

    /// <summary>Connections were killed every 100 ms, and of three nodes one was without Redis from then on: the client took itself for connected, had no connection, and made none.</summary>
    [ServerFact(Needs.Redis)]
    public async Task A_client_that_would_never_connect_again_is_replaced()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.WriteAsync(BackendHarness.Create(1));
        TakeTheConnectionFrom((await backend.Connection.GetDatabaseAsync(CancellationToken.None)).Multiplexer);

        var fault = await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
        Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
        Assert.Equal(SessionReadKind.Found, (await backend.ReadUntilHealedAsync()).Kind);
        Assert.Single(backend.Logged, line => line.StartsWith("RedisConnectionReplaced:", StringComparison.Ordinal));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_client_that_connects_again_by_itself_is_left_alone()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.WriteAsync(BackendHarness.Create(1));
        var client = (await backend.Connection.GetDatabaseAsync(CancellationToken.None)).Multiplexer;
        server.Kill();
        await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
        await Task.Delay(TimeSpan.FromSeconds(2));
        await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
        await server.RestartAsync();

        Assert.NotEqual(SessionReadKind.Unchanged, (await backend.ReadUntilHealedAsync()).Kind);
        Assert.Same(client, (await backend.Connection.GetDatabaseAsync(CancellationToken.None)).Multiplexer);
    }

    /// <summary>"Not reachable (no answer yet)" was the first line of the log, and the cause stood deep in a stack trace.</summary>
    [ServerFact(Needs.Redis)]
    public async Task A_login_that_Redis_refuses_is_named_once_and_heals_when_the_password_is_right()
    {
        const string Password = "nobody-may-see-this";
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness($"{server.ConnectionString},password={Password}");
        using var admin = await RespClient.ConnectAsync(server.Port);
        await admin.CommandAsync(["CONFIG", "SET", "requirepass", "another"]);

        // The client tells the reason by an event of its own thread, which may come a moment after the first call has failed.
        for (var i = 0; i < 100 && !backend.Logged.Any(line => line.StartsWith("RedisLoginRefused:", StringComparison.Ordinal)); i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
            await Task.Delay(50);
        }

        for (var i = 0; i < 3; i++)
        {
            var fault = await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
            Assert.Contains("user or password", fault.Message, StringComparison.Ordinal);
        }

        Assert.Single(backend.Logged, line => line.StartsWith("RedisLoginRefused:", StringComparison.Ordinal));
        await admin.CommandAsync(["AUTH", "another"]);
        await admin.CommandAsync(["CONFIG", "SET", "requirepass", Password]);
        Assert.Equal(SessionReadKind.Absent, (await backend.ReadUntilHealedAsync()).Kind);
        server.Kill();
        await Assert.ThrowsAsync<SessionStoreException>(() => backend.ReadAsync());
        Assert.Single(backend.Logged, line => line.StartsWith("RedisLoginRefused:", StringComparison.Ordinal));
        Assert.All(backend.Logged, line => Assert.DoesNotContain(Password, line, StringComparison.Ordinal));
    }

    [ServerFact(Needs.Redis)]
    public async Task Redis_may_come_after_the_app_and_restart_under_it()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { AppendOnly = true, ExtraArguments = ["--appendfsync", "always"] });
        server.Kill();
        await using var backend = new BackendHarness(server.ConnectionString);

        await Assert.ThrowsAnyAsync<Exception>(() => backend.WriteAsync(BackendHarness.Create(1), within: Patience));
        await Task.Delay(1500);
        var refused = await Assert.ThrowsAsync<SessionStoreException>(() => backend.WriteAsync(BackendHarness.Create(1)));
        Assert.Equal(SessionStoreFault.NotApplied, refused.Fault);

        await server.RestartAsync();
        Assert.Equal(SessionRead.Absent, await backend.ReadUntilHealedAsync());
        await backend.WriteAsync(BackendHarness.Create(1));

        await server.RestartAsync();
        Assert.Equal(SessionReadKind.Found, (await backend.ReadUntilHealedAsync()).Kind);
        Assert.Single(backend.Logged, line => line.StartsWith("RedisNotReachable", StringComparison.Ordinal));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_call_to_a_stopped_server_ends_by_its_token_and_works_again_afterwards()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.WriteAsync(BackendHarness.Create(1));
        server.Freeze();

        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backend.ReadAsync(Patience));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backend.WriteAsync(BackendHarness.Create(2), within: Patience));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(4));

        server.Thaw();
        Assert.Equal(SessionReadKind.Found, (await backend.ReadUntilHealedAsync()).Kind);
    }

    [ServerFact(Needs.Redis)]
    public async Task The_first_call_to_a_stopped_server_ends_by_its_token()
    {
        await using var server = await RedisServer.StartAsync();
        server.Freeze();
        await using var backend = new BackendHarness(server.ConnectionString);

        var watch = Stopwatch.StartNew();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backend.ReadAsync(Patience));
        Assert.InRange(watch.Elapsed, TimeSpan.FromSeconds(0.4), TimeSpan.FromSeconds(3));
        server.Thaw();
        Assert.Equal(SessionRead.Absent, await backend.ReadUntilHealedAsync());
    }

    [ServerFact(Needs.Redis)]
    public async Task What_an_abandoned_call_fails_with_later_is_nobodys_unobserved_exception()
    {
        var unobserved = new List<Exception>();
        void Record(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Add(e.Exception);
        TaskScheduler.UnobservedTaskException += Record;
        try
        {
            await using (var server = await RedisServer.StartAsync())
            {
                await using var backend = new BackendHarness(server.ConnectionString);
                await backend.ReadAsync();
                server.Freeze();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => backend.ReadAsync(Patience));
                server.Kill();
                await Task.Delay(500);
            }

            for (var i = 0; i < 3; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }

            Assert.DoesNotContain(unobserved, exception => exception.ToString().Contains("EVALSHA", StringComparison.Ordinal));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Record;
        }
    }

    [ServerFact(Needs.Redis)]
    public async Task A_caller_that_blocks_after_one_call_does_not_stall_another()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.ReadAsync();

        var other = Task.Run(async () =>
        {
            await backend.ReadAsync();

            // What the app must not do, and does.
            return backend.ReadAsync().Wait(TimeSpan.FromSeconds(10));
        });

        Assert.True(await other.WaitAsync(TimeSpan.FromSeconds(15)));
    }

    [ServerFact(Needs.Redis)]
    public async Task A_write_to_a_replica_was_not_applied_and_a_read_works()
    {
        await using var primary = await RedisServer.StartAsync();
        await using var replica = await RedisServer.StartAsync();
        await replica.CommandAsync("REPLICAOF", "127.0.0.1", primary.ConnectionString.Split(':')[1]);
        await using var backend = new BackendHarness(replica.ConnectionString);

        var refused = await Assert.ThrowsAsync<SessionStoreException>(() => backend.WriteAsync(BackendHarness.Create(1)));

        Assert.Equal(SessionStoreFault.NotApplied, refused.Fault);
        Assert.Contains("READONLY", refused.Message, StringComparison.Ordinal);
        Assert.Equal(SessionRead.Absent, await backend.ReadAsync());
    }

    [ServerFact(Needs.Redis)]
    public async Task A_write_to_a_full_server_was_not_applied()
    {
        await using var server = await RedisServer.StartAsync(new RedisServerOptions { ExtraArguments = ["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"] });
        await using var backend = new BackendHarness(server.ConnectionString);
        await server.CommandAsync("CONFIG", "SET", "maxmemory", "1");

        var refused = await Assert.ThrowsAsync<SessionStoreException>(() => backend.WriteAsync(BackendHarness.Create(new byte[100_000])));

        Assert.Equal(SessionStoreFault.NotApplied, refused.Fault);
        Assert.Contains("OOM", refused.Message, StringComparison.Ordinal);
        Assert.Equal("0", (await server.CommandAsync("EXISTS", backend.KeyName)).Text);
    }

    [ServerFact(Needs.Redis)]
    public async Task A_connection_lost_in_the_middle_of_a_write_is_ambiguous_and_the_same_write_tells()
    {
        await using var server = await RedisServer.StartAsync();
        await using var backend = new BackendHarness(server.ConnectionString);
        await backend.ReadAsync();
        var write = BackendHarness.Create(1);

        server.Freeze();
        var pending = backend.WriteAsync(write, within: TimeSpan.FromSeconds(10));
        await Task.Delay(200);
        server.Kill();

        var lost = await Assert.ThrowsAsync<SessionStoreException>(() => pending);
        Assert.Equal(SessionStoreFault.Ambiguous, lost.Fault);
        await server.RestartAsync();
        await backend.ReadUntilHealedAsync();
        Assert.Equal(SessionWriteKind.Written, (await backend.WriteAsync(write)).Kind);
    }

    [Fact]
    public async Task Wrong_arguments_are_refused_without_a_server()
    {
        await using var backend = new BackendHarness("127.0.0.1:1");

        await Assert.ThrowsAnyAsync<ArgumentException>(() => backend.WriteAsync(BackendHarness.Create(1) with { Generation = -1 }));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await backend.Store.TouchAsync(backend.Key, TimeSpan.Zero, CancellationToken.None));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await backend.Vault.AppendAsync("ring", "", 0, CancellationToken.None));
        Assert.Empty(backend.Logged);
    }

    [Theory]
    [InlineData("127.0.0.1:1,password=hunter2")]
    [InlineData("no-such-host.invalid:6379,password=hunter2")]
    [InlineData("127.0.0.1:1,password=x,hunter2=hunter2")]
    public async Task No_part_of_a_password_reaches_a_log_or_our_messages(string configuration)
    {
        await using var backend = new BackendHarness(configuration);

        var exception = await Assert.ThrowsAsync<SessionStoreException>(() => backend.WriteAsync(BackendHarness.Create(1)));

        Assert.Equal(SessionStoreFault.NotApplied, exception.Fault);
        Assert.DoesNotContain("hunter2", exception.ToString() + string.Join('\n', backend.Logged), StringComparison.Ordinal);
        Assert.NotEmpty(backend.Logged);
    }

    private static async Task<int> RunAllAsync(BackendHarness backend)
    {
        var key = SessionKey.Of(SessionId.Create());
        var ring = Guid.NewGuid().ToString();
        var create = BackendHarness.Create(1);
        var none = CancellationToken.None;
        await backend.Store.ReadAsync(key, default, none);
        await backend.Store.WriteAsync(key, create, none);
        await backend.Store.WriteAsync(key, BackendHarness.After(create.Next, 2), none);
        await backend.Store.WriteAsync(key, BackendHarness.Create(3), none);
        await backend.Store.ReadAsync(key, create.Next, none);
        await backend.Store.TouchAsync(key, BackendHarness.Hour, none);
        await backend.Store.DeleteAsync(key, BackendHarness.Hour, none);
        var node = new Nodes.NodeRecord(Nodes.NodeId.Parse("a"), Guid.NewGuid(), Nodes.NodeState.Active, InFlight: 0);
        await backend.Nodes.BeatAsync(node, BackendHarness.Hour, none);
        await backend.Nodes.AskAsync(node.Id, Nodes.NodeWish.Drain, none);
        await backend.Nodes.LeaveAsync(node.Id, node.Incarnation, none);
        await backend.Vault.AppendAsync(ring, "key", 0, none);
        await backend.Vault.ReadAsync(ring, none);
        return 12;
    }

    /// <summary>What the client does to itself when two threads learn of one lost connection while the next one is being made.</summary>
    private static void TakeTheConnectionFrom(object client)
    {
        var server = Assert.Single((Array)Value(client, "serverSnapshot")!.GetValue(client)!);
        var bridge = Value(server!, "interactive")!.GetValue(server)!;
        Value(bridge, "physical")!.SetValue(bridge, null);

        static FieldInfo? Value(object owner, string name) => owner.GetType().GetField(name, BindingFlags.Instance | BindingFlags.NonPublic);
    }
}
