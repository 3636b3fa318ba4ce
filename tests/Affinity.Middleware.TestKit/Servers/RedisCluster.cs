using System.Diagnostics;
using System.Globalization;

namespace Affinity.TestKit;

/// <summary>A real Redis Cluster on loopback: masters that share the slots evenly, some with a replica on request, and a bus that notices a dead one within about a second.</summary>
/// <remarks>A shard without a master stops nobody but itself: <c>cluster-require-full-coverage no</c>, other than Redis has it by default.</remarks>
public sealed class RedisCluster : IAsyncDisposable
{
    /// <summary>How many slots every cluster has.</summary>
    public const int Slots = 16384;

    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(30);

    private readonly List<RedisServer> _masters = [];
    private readonly List<RedisServer> _replicas = [];

    private RedisCluster()
    {
    }

    /// <summary>Those that began as masters, in the order of their slots.</summary>
    public IReadOnlyList<RedisServer> Masters => _masters;

    /// <summary>Those that began as replicas: the first follows the first master, and so on.</summary>
    public IReadOnlyList<RedisServer> Replicas => _replicas;

    /// <summary>All masters, as client libraries take them. They find the rest by themselves.</summary>
    public string ConnectionString => string.Join(',', _masters.Select(master => master.ConnectionString));

    /// <summary>Starts the servers, makes them meet and gives them their slots; ready when every one of them says that the cluster is.</summary>
    /// <param name="masters">How many, at least three: fewer could not agree on a fail-over.</param>
    /// <param name="replicas">How many masters have a replica, the first ones.</param>
    /// <param name="appendOnly">Whether each keeps an append-only file that is synchronised with every write.</param>
    public static async Task<RedisCluster> StartAsync(int masters = 3, int replicas = 0, bool appendOnly = false)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(masters, 3);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicas, masters);
        var cluster = new RedisCluster();
        try
        {
            var servers = await Task.WhenAll(Enumerable.Range(0, masters + replicas).Select(_ => StartNodeAsync(appendOnly)));
            cluster._masters.AddRange(servers.Take(masters));
            cluster._replicas.AddRange(servers.Skip(masters));
            await cluster.FormAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Who serves the key now, by the word of the servers that run.</summary>
    public async Task<RedisServer> OwnerOfAsync(string key)
    {
        var slot = await SlotOfAsync(key);
        foreach (var range in (await Living().First().CommandAsync("CLUSTER", "SLOTS")).Items!)
        {
            if (slot >= int.Parse(range.Items![0].Text!, CultureInfo.InvariantCulture) && slot <= int.Parse(range.Items[1].Text!, CultureInfo.InvariantCulture))
            {
                return At(int.Parse(range.Items[2].Items![1].Text!, CultureInfo.InvariantCulture));
            }
        }

        throw new InvalidOperationException($"Nobody serves slot {slot}.");
    }

    /// <summary>The slot of a key.</summary>
    public async Task<int> SlotOfAsync(string key) =>
        int.Parse((await Living().First().CommandAsync("CLUSTER", "KEYSLOT", key)).Text!, CultureInfo.InvariantCulture);

    /// <summary>
    /// Moves a slot as the documented procedure has it: the target imports, the source migrates, key goes by key, then everybody is told. Meanwhile keys that have gone are answered with ASK, and afterwards with MOVED.
    /// </summary>
    /// <param name="slot">Which.</param>
    /// <param name="from">Who serves it.</param>
    /// <param name="to">Who is to serve it.</param>
    /// <param name="betweenKeys">Done after each key, to have the move take its time.</param>
    /// <returns>How many keys were moved.</returns>
    public async Task<int> MoveSlotAsync(int slot, RedisServer from, RedisServer to, Func<Task>? betweenKeys = null)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        var number = slot.ToString(CultureInfo.InvariantCulture);
        var (source, target) = (await IdOfAsync(from), await IdOfAsync(to));
        await to.CommandAsync("CLUSTER", "SETSLOT", number, "IMPORTING", source);
        await from.CommandAsync("CLUSTER", "SETSLOT", number, "MIGRATING", target);
        var moved = 0;
        while ((await from.CommandAsync("CLUSTER", "GETKEYSINSLOT", number, "10")).Items is { Count: > 0 } keys)
        {
            foreach (var key in keys)
            {
                var answer = await from.CommandAsync("MIGRATE", "127.0.0.1", to.Port.ToString(CultureInfo.InvariantCulture), key.Text!, "0", "5000");
                moved += answer.Text is "OK" ? 1 : 0;
                await (betweenKeys?.Invoke() ?? Task.CompletedTask);
            }
        }

        // The target first: a source that let go before would send clients to one that does not know yet.
        foreach (var server in (RedisServer[])[to, from, .. _masters.Except([to, from])])
        {
            await server.CommandAsync("CLUSTER", "SETSLOT", number, "NODE", target);
        }

        return moved;
    }

    /// <summary>How often the servers that run have answered with each error since they were started, by its code: <c>ASK</c>, <c>MOVED</c>.</summary>
    public async Task<IReadOnlyDictionary<string, long>> ErrorsAsync()
    {
        var errors = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var server in Living())
        {
            // errorstat_MOVED:count=3
            foreach (var line in (await server.CommandAsync("INFO", "errorstats")).Text!.Split('\n').Where(line => line.StartsWith("errorstat_", StringComparison.Ordinal)))
            {
                var parts = line.Trim()["errorstat_".Length..].Split(":count=");
                errors[parts[0]] = errors.GetValueOrDefault(parts[0]) + long.Parse(parts[1], CultureInfo.InvariantCulture);
            }
        }

        return errors;
    }

    /// <summary>Waits until every server that runs says that the cluster serves.</summary>
    /// <exception cref="TimeoutException">It did not within 30 s.</exception>
    public Task WaitUntilServingAsync() => WaitUntilAsync("cluster_state:ok", "CLUSTER", "INFO");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var server in _masters.Concat(_replicas))
        {
            await server.DisposeAsync();
        }
    }

    // The bus listens 10000 above the port unless told otherwise, which lies where outgoing connections take their ports.
    private static Task<RedisServer> StartNodeAsync(bool appendOnly) => RedisServer.StartAsync(new RedisServerOptions
    {
        AppendOnly = appendOnly,
        ExtraArguments =
        [
            "--cluster-enabled", "yes",
            "--cluster-port", LoopbackPort.Next().ToString(CultureInfo.InvariantCulture),
            "--cluster-announce-ip", "127.0.0.1",
            "--cluster-node-timeout", "1000",
            "--cluster-require-full-coverage", "no",
            "--cluster-replica-validity-factor", "0",
            "--repl-diskless-sync-delay", "0",
            "--appendfsync", "always",
        ],
    });

    private static async Task<string> IdOfAsync(RedisServer server) => (await server.CommandAsync("CLUSTER", "MYID")).Text!;

    private async Task FormAsync()
    {
        for (var i = 0; i < _masters.Count; i++)
        {
            var (first, next) = (Slots * i / _masters.Count, Slots * (i + 1) / _masters.Count);
            await _masters[i].CommandAsync("CLUSTER", "ADDSLOTSRANGE", first.ToString(CultureInfo.InvariantCulture), (next - 1).ToString(CultureInfo.InvariantCulture));
            await _masters[i].CommandAsync("CLUSTER", "SET-CONFIG-EPOCH", (i + 1).ToString(CultureInfo.InvariantCulture));
        }

        foreach (var server in _masters.Concat(_replicas).Skip(1))
        {
            var bus = (await server.CommandAsync("CONFIG", "GET", "cluster-port")).Items![1].Text!;
            await _masters[0].CommandAsync("CLUSTER", "MEET", "127.0.0.1", server.Port.ToString(CultureInfo.InvariantCulture), bus);
        }

        await WaitUntilAsync($"cluster_known_nodes:{_masters.Count + _replicas.Count}\r", "CLUSTER", "INFO");
        for (var i = 0; i < _replicas.Count; i++)
        {
            await _replicas[i].CommandAsync("CLUSTER", "REPLICATE", await IdOfAsync(_masters[i]));
        }

        await WaitUntilServingAsync();
        foreach (var replica in _replicas)
        {
            await WaitUntilAsync([replica], "master_link_status:up", "INFO", "replication");
        }
    }

    private Task WaitUntilAsync(string text, params string[] command) => WaitUntilAsync(Living(), text, command);

    private static async Task WaitUntilAsync(IEnumerable<RedisServer> servers, string text, params string[] command)
    {
        var watch = Stopwatch.StartNew();
        foreach (var server in servers)
        {
            while ((await server.CommandAsync(command)).Text is var answer && !answer!.Contains(text, StringComparison.Ordinal))
            {
                if (watch.Elapsed > ReadyWithin)
                {
                    throw new TimeoutException($"No \"{text}\" within {ReadyWithin} from port {server.Port}, which says:\n{answer}");
                }

                await Task.Delay(20);
            }
        }
    }

    private IEnumerable<RedisServer> Living() => _masters.Concat(_replicas).Where(server => !server.Process.HasExited);

    private RedisServer At(int port) => _masters.Concat(_replicas).Single(server => server.Port == port);
}
