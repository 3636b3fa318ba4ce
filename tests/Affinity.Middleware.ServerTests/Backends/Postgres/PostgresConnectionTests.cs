using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>What lies between a node and its database, on a server that goes on for the others.</summary>
[Collection("Postgres backend")]
public sealed class PostgresConnectionTests(PostgresBackendServer group)
{
    private readonly PostgresServer _server = group.Server;

    [Fact]
    public async Task An_app_may_start_before_its_database_and_each_change_is_told_once()
    {
        using var network = new TcpRelay(_server.Port) { Refuse = true };
        await using var node = new PostgresNode(Through(network));
        for (var i = 0; i < 3; i++)
        {
            var fault = await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync());
            Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
        }

        network.Refuse = false;
        Assert.Equal(SessionRead.Absent, await node.ReadUntilHealedAsync());
        network.Refuse = true;
        network.CutAll();
        await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync());
        await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync());
        network.Refuse = false;
        await node.ReadUntilHealedAsync();

        Assert.Equal(
            ["PostgresNotReachable", "PostgresSchemaMade", "PostgresConnected", "PostgresNotReachable", "PostgresConnected"],
            node.Logged.Select(line => line[..line.IndexOf(':', StringComparison.Ordinal)]));
    }

    [Fact]
    public async Task In_steady_state_every_operation_is_one_round_trip()
    {
        using var network = new TcpRelay(_server.Port);
        await using var node = new PostgresNode(Through(network) + ";Maximum Pool Size=1");
        var version = SessionVersion.None;
        var trips = new List<long>();
        for (var round = 0; round < 6; round++)
        {
            network.ResetCounters();
            var write = BackendHarness.After(version, 1);
            await node.WriteAsync(write);
            version = write.Next;
            await node.ReadAsync();
            await node.Store.ReadLatestAsync(node.Key, version, CancellationToken.None);
            await node.Store.TouchAsync(node.Key, BackendHarness.Hour, CancellationToken.None);
            await node.Store.DeleteAsync(SessionKey.Of(SessionId.Create()), BackendHarness.Hour, CancellationToken.None);
            await node.Vault.ReadAsync("ring", CancellationToken.None);
            trips.Add(network.Commands.Values.Sum());
        }

        Assert.Equal([6, 6, 6], trips[^3..]);
    }

    [Fact]
    public async Task A_login_that_is_refused_is_named_once_and_nothing_of_it_is_repeated()
    {
        await using var node = new PostgresNode(_server.ConnectionString.Replace("Username=affinity", "Username=nobody-may-see-this", StringComparison.Ordinal) + ";Password=nor-this");
        for (var i = 0; i < 3; i++)
        {
            var fault = await Assert.ThrowsAsync<SessionStoreException>(() => node.ReadAsync());
            Assert.Equal(SessionStoreFault.NotApplied, fault.Fault);
            Assert.Contains("user, password or database", fault.Message, StringComparison.Ordinal);
        }

        var line = Assert.Single(node.Logged);
        Assert.StartsWith("PostgresLoginRefused:", line, StringComparison.Ordinal);
        Assert.DoesNotContain("this", line, StringComparison.Ordinal);
    }

    private static string Through(TcpRelay network) => $"Host=127.0.0.1;Port={network.Port};Username=affinity;Database=postgres";
}
