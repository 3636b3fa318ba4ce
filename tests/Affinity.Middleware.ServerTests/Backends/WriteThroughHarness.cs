using System.Collections.Concurrent;
using Affinity.Backends.Redis;
using Affinity.Backends.WriteThrough;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Affinity.Tickets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>One imagined node with Redis in front of a database that a test may hold up or break.</summary>
internal sealed class WriteThroughNode : IAsyncDisposable
{
    private readonly RedisConnection? _own;

    /// <param name="database">Shared by the nodes of a test.</param>
    /// <param name="connection">To the cache; shared with other tests.</param>
    /// <param name="keyPrefix">Shared by the nodes of a test.</param>
    /// <param name="maxAge">How long ago the database must have said what the cache answers.</param>
    public WriteThroughNode(ISessionStore database, RedisConnection connection, string keyPrefix, TimeSpan? maxAge = null, bool servesInOutage = true)
    {
        Database = new GatedStore(database);
        Cache = new RedisSessionCache(connection, new RedisOptions { KeyPrefix = keyPrefix }, TimeProvider.System);
        Options = new WriteThroughOptions { MaxAge = maxAge ?? TimeSpan.FromHours(1), StoreTimeout = TimeSpan.FromSeconds(5), ServesInOutage = servesInOutage, CacheTimeout = TimeSpan.FromSeconds(5) };
        Store = new WriteThroughSessionStore(Database, Cache, Options, TimeProvider.System, Metrics(), NullLogger<WriteThroughSessionStore>.Instance);
    }

    /// <summary>A node with a connection of its own and the time limit of production, for a cache that breaks.</summary>
    public WriteThroughNode(ISessionStore database, string configuration)
    {
        Database = new GatedStore(database);
        var options = new RedisOptions { Configuration = configuration, KeyPrefix = "t:" };
        _own = new RedisConnection(options, TimeProvider.System, NullLogger<RedisConnection>.Instance);
        Cache = new RedisSessionCache(_own, options, TimeProvider.System);
        Options = new WriteThroughOptions { MaxAge = TimeSpan.FromSeconds(5), StoreTimeout = TimeSpan.FromSeconds(1) };
        Store = new WriteThroughSessionStore(Database, Cache, Options, TimeProvider.System, Metrics(), new ListLogger(Logged));
    }

    public GatedStore Database { get; }

    public RedisSessionCache Cache { get; }

    public WriteThroughOptions Options { get; }

    public WriteThroughSessionStore Store { get; }

    public ConcurrentQueue<string> Logged { get; } = new();

    public async Task<SessionRead> ReadAsync(SessionKey key, SessionVersion known = default) => await Store.ReadAsync(key, known, CancellationToken.None);

    public async Task<SessionVersion> WriteAsync(SessionKey key, SessionVersion expected, params byte[] payload)
    {
        var write = BackendHarness.After(expected, payload);
        var result = await Store.WriteAsync(key, write, CancellationToken.None);
        return result.Kind == SessionWriteKind.Written ? write.Next : throw new InvalidOperationException($"The write was answered with {result.Kind}.");
    }

    /// <summary>Reads and answers the version and whether the database was asked for it.</summary>
    public async Task<(SessionVersion Version, bool AskedDatabase)> WhereFromAsync(SessionKey key)
    {
        var before = Database.Reads;
        var read = await ReadAsync(key);
        return (read.Session?.Version ?? default, Database.Reads > before);
    }

    public ValueTask DisposeAsync() => _own?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static AffinityMetrics Metrics() => new(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<System.Diagnostics.Metrics.IMeterFactory>());

    private sealed class ListLogger(ConcurrentQueue<string> lines) : ILogger<WriteThroughSessionStore>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue($"{eventId.Name}");
    }
}

/// <summary>A database whose answers a test can hold up or lose.</summary>
internal sealed class GatedStore(ISessionStore inner) : ISessionStore
{
    private int _reads;

    public Func<Task> BeforeRead { get; set; } = () => Task.CompletedTask;

    public Func<Task> AfterRead { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeChange { get; set; } = () => Task.CompletedTask;

    public Func<Task> AfterChange { get; set; } = () => Task.CompletedTask;

    public int Reads => Volatile.Read(ref _reads);

    public static Task Lose() => throw new SessionStoreException(SessionStoreFault.Ambiguous, "The reply was lost.");

    /// <summary>The next call stops there until it is told to go on; later ones do not.</summary>
    public static (Func<Task> Gate, Task Reached, TaskCompletionSource GoOn) Barrier()
    {
        var (reached, goOn) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return (() => reached.TrySetResult() ? goOn.Task : Task.CompletedTask, reached.Task, goOn);
    }

    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => AskAsync(() => inner.ReadAsync(key, known, cancellationToken));

    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) => AskAsync(() => inner.ReadLatestAsync(key, known, cancellationToken));

    public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken) => ChangeAsync(() => inner.WriteAsync(key, write, cancellationToken));

    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => ChangeAsync(() => inner.TouchAsync(key, idle, cancellationToken));

    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => await ChangeAsync(async () =>
    {
        await inner.DeleteAsync(key, remember, cancellationToken);
        return true;
    });

    private async ValueTask<SessionRead> AskAsync(Func<ValueTask<SessionRead>> ask)
    {
        Interlocked.Increment(ref _reads);
        await BeforeRead();
        var answer = await ask();
        await AfterRead();
        return answer;
    }

    private async ValueTask<T> ChangeAsync<T>(Func<ValueTask<T>> change)
    {
        await BeforeChange();
        var answer = await change();
        await AfterChange();
        return answer;
    }
}
