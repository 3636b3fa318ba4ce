using System.Diagnostics;
using System.Diagnostics.Metrics;
using Affinity.Backends.Postgres;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>The PostgreSQL backend of one imagined node, with what it logs, against a server that a test may break.</summary>
internal sealed class PostgresNode : IAsyncDisposable
{
    private readonly BackendHarness.RecordingLoggerFactory _loggers = new();
    private readonly ServiceProvider _meters = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public PostgresNode(string connectionString, string? schema = null, Action<PostgresOptions>? configure = null)
    {
        Options = new PostgresOptions { ConnectionString = connectionString, SchemaName = schema ?? $"t_{Guid.NewGuid():N}" };
        configure?.Invoke(Options);
        Database = new PostgresDatabase(Options, _loggers.CreateLogger<PostgresDatabase>());
        Reads = new ReplicaReads(_meters.GetRequiredService<IMeterFactory>());
        Replicas = new PostgresReplicas(Database, new NearCacheOptions(), TimeProvider.System, Reads.Metrics, _loggers.CreateLogger<PostgresReplicas>());
        Store = new PostgresSessionStore(Database, TimeProvider.System, Replicas);
        Directory = new PostgresNodeDirectory(Database, _loggers.CreateLogger<PostgresNodeDirectory>());
        Vault = new PostgresKeyVault(Database);
        Announcements = new PostgresSessionAnnouncements(Database, TimeProvider.System, _loggers.CreateLogger<PostgresSessionAnnouncements>());
        Sweeper = new PostgresSweeper(Database, TimeProvider.System, _loggers.CreateLogger<PostgresSweeper>());
    }

    public ReplicaReads Reads { get; }

    public PostgresReplicas Replicas { get; }

    public PostgresOptions Options { get; }

    public PostgresDatabase Database { get; }

    public PostgresSessionStore Store { get; }

    public PostgresNodeDirectory Directory { get; }

    public PostgresKeyVault Vault { get; }

    public PostgresSessionAnnouncements Announcements { get; }

    public PostgresSweeper Sweeper { get; }

    public SessionKey Key { get; } = SessionKey.Of(SessionId.Create());

    public string Schema => Database.Schema;

    public string[] Logged => [.. _loggers.Lines];

    public async Task<SessionWriteResult> WriteAsync(SessionWrite write, SessionKey? key = null, TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(5));
        return await Store.WriteAsync(key ?? Key, write, patience.Token);
    }

    public async Task<SessionRead> ReadAsync(TimeSpan? within = null, SessionKey? key = null)
    {
        using var patience = new CancellationTokenSource(within ?? TimeSpan.FromSeconds(5));
        return await Store.ReadAsync(key ?? Key, default, patience.Token);
    }

    /// <summary>Reads until an answer comes: how long a node is without its store after a fault.</summary>
    public async Task<SessionRead> ReadUntilHealedAsync(SessionKey? key = null)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await ReadAsync(TimeSpan.FromMilliseconds(500), key);
            }
            catch (Exception exception) when (exception is SessionStoreException or OperationCanceledException && patience.Elapsed < TimeSpan.FromSeconds(20))
            {
                await Task.Delay(50);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        Announcements.Dispose();
        await Replicas.DisposeAsync();
        Reads.Dispose();
        await _meters.DisposeAsync();
        await Database.DisposeAsync();
    }
}
