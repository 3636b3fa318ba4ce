using System.Diagnostics;

namespace Affinity.TestKit;

/// <summary>A primary and replicas that follow it by streaming, over a network which a test may cut.</summary>
public sealed class PostgresPair : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<PostgresServer> _replicas = [];

    private PostgresPair(PostgresServer primary)
    {
        Primary = primary;
        Network = new TcpRelay(primary.Port);
    }

    /// <summary>The one that begins as the primary.</summary>
    public PostgresServer Primary { get; }

    /// <summary>Those that begin as replicas.</summary>
    public IReadOnlyList<PostgresServer> Replicas => _replicas;

    /// <summary>The first of them.</summary>
    public PostgresServer Replica => _replicas[0];

    /// <summary>What lies between the primary and the replicas.</summary>
    public TcpRelay Network { get; }

    /// <summary>All, as Npgsql takes them: the one that takes writes is found among them.</summary>
    public string ConnectionString => $"Host={string.Join(',', Servers.Select(server => $"127.0.0.1:{server.Port}"))};Username=affinity;Database=postgres";

    private IEnumerable<PostgresServer> Servers => [Primary, .. _replicas];

    /// <summary>Starts all and waits until the replicas follow.</summary>
    /// <param name="replicas">How many.</param>
    /// <param name="synchronous">Whether a commit waits for one of them.</param>
    /// <param name="options">Of all; none by default.</param>
    public static async Task<PostgresPair> StartAsync(int replicas = 1, bool synchronous = false, PostgresServerOptions? options = null)
    {
        var pair = new PostgresPair(await PostgresServer.StartAsync(options));
        try
        {
            var starting = Enumerable.Range(0, replicas).Select(_ => PostgresServer.StartReplicaAsync(pair.Network.Port, options)).ToArray();
            await ((Task)Task.WhenAll(starting)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var start in starting)
            {
                pair._replicas.Add(await start);
            }

            if (synchronous)
            {
                await pair.Primary.ExecuteAsync("ALTER SYSTEM SET synchronous_standby_names = '*'");
                await pair.Primary.ExecuteAsync("SELECT pg_reload_conf()");
            }

            await pair.WaitUntilReplayedAsync();
            return pair;
        }
        catch
        {
            await pair.DisposeAsync();
            throw;
        }
    }

    /// <summary>The replicas alone, each of which is read.</summary>
    public string ReplicasConnectionString => $"Host={string.Join(',', _replicas.Select(server => $"127.0.0.1:{server.Port}"))}";

    /// <summary>Waits until the replicas show everything that the primary had when this was called.</summary>
    /// <exception cref="TimeoutException">They have not within 20 s.</exception>
    public async Task WaitUntilReplayedAsync()
    {
        var wanted = await Primary.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text");
        var watch = Stopwatch.StartNew();
        foreach (var replica in _replicas)
        {
            while (!await replica.ScalarAsync<bool>($"SELECT coalesce(pg_last_wal_replay_lsn() >= '{wanted}', false)"))
            {
                if (watch.Elapsed > Patience)
                {
                    throw new TimeoutException($"A replica does not follow within {Patience}:\n{replica.Process.Output}");
                }

                await Task.Delay(20);
            }
        }
    }

    /// <summary>What arrives at a replica is kept and not shown: it answers, and lags.</summary>
    public static Task PauseAsync(PostgresServer replica) => replica.ExecuteAsync("SELECT pg_wal_replay_pause()");

    /// <summary>Ends <see cref="PauseAsync"/>.</summary>
    public static Task ResumeAsync(PostgresServer replica) => replica.ExecuteAsync("SELECT pg_wal_replay_resume()");

    /// <summary>Cuts the replicas off: what is written from now on does not reach them. The primary goes on, except for commits that wait for them.</summary>
    public void Part()
    {
        Network.Refuse = true;
        Network.CutAll();
    }

    /// <summary>Makes a replica a primary, as a fail-over does, and waits for it.</summary>
    public static Task PromoteAsync(PostgresServer replica) => replica.ExecuteAsync("SELECT pg_promote()");

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Network.Dispose();
        foreach (var replica in _replicas)
        {
            await replica.DisposeAsync();
        }

        await Primary.DisposeAsync();
    }
}
