using System.Diagnostics;
using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A primary and a replica that follows it over a network which a test may cut.</summary>
public sealed class RedisPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private RedisPair(RedisServer primary, RedisServer replica)
    {
        (Primary, Replica) = (primary, replica);
        Network = new TcpRelay(primary.Port);
    }

    /// <summary>The one that begins as the primary.</summary>
    public RedisServer Primary { get; }

    /// <summary>The one that begins as the replica.</summary>
    public RedisServer Replica { get; }

    /// <summary>What lies between the two.</summary>
    public TcpRelay Network { get; }

    /// <summary>Both, as client libraries take them.</summary>
    public string ConnectionString => $"{Primary.ConnectionString},{Replica.ConnectionString}";

    /// <summary>Starts both and waits until the replica follows.</summary>
    /// <param name="options">Of both; none by default.</param>
    public static async Task<RedisPair> StartAsync(RedisServerOptions? options = null)
    {
        options ??= new();
        var primary = await RedisServer.StartAsync(options with { ExtraArguments = [.. options.ExtraArguments, "--repl-diskless-sync-delay", "0"] });
        RedisPair pair;
        try
        {
            pair = new RedisPair(primary, await RedisServer.StartAsync(options));
        }
        catch
        {
            await primary.DisposeAsync();
            throw;
        }

        try
        {
            await pair.Replica.CommandAsync("REPLICAOF", "127.0.0.1", pair.Network.Port.ToString(CultureInfo.InvariantCulture));
            await pair.WaitUntilReplicatedAsync();
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the replica has everything that the primary had when this was called.</summary>
    /// <exception cref="TimeoutException">It has not within 20 s.</exception>
    public async Task WaitUntilReplicatedAsync()
    {
        var wanted = await OffsetAsync(Primary);
        var watch = Stopwatch.StartNew();
        while (!(await ReplicationAsync(Replica)).Contains("master_link_status:up", StringComparison.Ordinal) || await OffsetAsync(Replica) < wanted)
        {
            if (watch.Elapsed > Patience)
            {
                throw new TimeoutException($"The replica does not follow within {Patience}:\n{await ReplicationAsync(Replica)}");
            }

            await Task.Delay(20);
        }
    }

    /// <summary>Cuts the replica off: what is written from now on does not reach it. The primary goes on.</summary>
    public void Part()
    {
        Network.Refuse = true;
        Network.CutAll();
    }

    /// <summary>Makes the replica a primary, as a fail-over does.</summary>
    public Task PromoteAsync() => Replica.CommandAsync("REPLICAOF", "NO", "ONE");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Network.Dispose();
        await Replica.DisposeAsync();
        await Primary.DisposeAsync();
    }

    private static async Task<string> ReplicationAsync(RedisServer server) => (await server.CommandAsync("INFO", "replication")).Text!;

    private static async Task<long> OffsetAsync(RedisServer server)
    {
        const string Name = "master_repl_offset:";
        var line = (await ReplicationAsync(server)).Split('\n').Single(line => line.StartsWith(Name, StringComparison.Ordinal));
        return long.Parse(line[Name.Length..].Trim(), CultureInfo.InvariantCulture);
    }
}
