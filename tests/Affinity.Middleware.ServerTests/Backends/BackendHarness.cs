using System.Collections.Concurrent;
using System.Diagnostics;
using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;

namespace Affinity.ServerTests.Backends;

/// <summary>The Redis backend of one imagined node, with what it logs, against a server that a test may break.</summary>
internal sealed class BackendHarness : IAsyncDisposable
{
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly RecordingLoggerFactory _loggers = new();

    public BackendHarness(string configuration, string? keyPrefix = null)
    {
        Options = new RedisOptions { Configuration = configuration, KeyPrefix = keyPrefix };
        Connection = new RedisConnection(Options, TimeProvider.System, _loggers.CreateLogger<RedisConnection>());
        Store = new RedisSessionStore(Connection, Options, TimeProvider.System);
        Nodes = new RedisNodeDirectory(Connection, Options, _loggers.CreateLogger<RedisNodeDirectory>());
        Vault = new RedisKeyVault(Connection, Options);
    }

    /// <summary>One that shares no key with other tests on the server, the Data Protection ring included.</summary>
    public static BackendHarness Apart(string configuration)
    {
        var harness = new BackendHarness(configuration, $"t{Guid.NewGuid():N}:");
        harness.Options.DataProtectionKey = $"{harness.Options.KeyPrefix}DataProtection-Keys";
        return harness;
    }

    public RedisOptions Options { get; }

    public RedisConnection Connection { get; }

    public RedisSessionStore Store { get; }

    public RedisNodeDirectory Nodes { get; }

    public RedisKeyVault Vault { get; }

    public SessionKey Key { get; } = SessionKey.Of(SessionId.Create());

    public string KeyName => NameOf(Key);

    public string[] Logged => [.. _loggers.Lines];

    public static SessionWrite Create(params byte[] payload) => After(SessionVersion.None, payload);

    public static SessionWrite After(SessionVersion expected, params byte[] payload) => new(expected, expected.Next(), 0, payload, Hour, Hour);

    /// <summary>Where the store keeps a session.</summary>
    public string NameOf(SessionKey key) => $"{Options.KeyPrefix}s:{key.Value}";

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

    public ValueTask DisposeAsync() => Connection.DisposeAsync();

    internal sealed class RecordingLoggerFactory : ILoggerFactory, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue($"{eventId.Name}: {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}
