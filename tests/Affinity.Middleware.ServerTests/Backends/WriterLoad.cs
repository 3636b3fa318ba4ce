using System.Collections.Concurrent;
using System.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>
/// Sessions that are written without pause, each by one writer that keeps what was answered. A write that failed is repeated with the same tag, as the save loop does, so that in the end every session is at the version
/// that was answered last; or the store has said that it is not.
/// </summary>
internal sealed class WriterLoad : IAsyncDisposable
{
    private readonly ISessionStore _store;
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _writers = [];
    private readonly TimeSpan _pause;

    public WriterLoad(ISessionStore store, int sessions, TimeSpan pause)
    {
        (_store, _pause) = (store, pause);
        for (var i = 0; i < sessions; i++)
        {
            Add();
        }
    }

    public ConcurrentDictionary<SessionKey, Written> Sessions { get; } = new();

    public IEnumerable<SessionStoreException> Failures => Sessions.Values.SelectMany(session => session.Failures);

    /// <summary>One more session, which is created now.</summary>
    public SessionKey Add()
    {
        var key = SessionKey.Of(SessionId.Create());
        _writers.Add(WriteAsync(key, Sessions[key] = new Written()));
        return key;
    }

    /// <summary>Waits until each of these sessions has had some more writes answered.</summary>
    public async Task GoOnAsync(IEnumerable<SessionKey>? keys = null, int writes = 3)
    {
        var watch = Stopwatch.StartNew();
        var waiting = (keys ?? Sessions.Keys).Select(key => (Session: Sessions[key], Until: Sessions[key].Answers + writes)).ToArray();
        while (Array.Find(waiting, wait => wait.Session.Answers < wait.Until) is { Session: { } late })
        {
            if (_writers.Find(writer => writer.IsFaulted) is { } faulted)
            {
                await faulted;
            }

            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"A session is not written any more: {late.Failures.LastOrDefault()}");
            await Task.Delay(5);
        }
    }

    /// <summary>Which of the sessions lie on this server, and which do not.</summary>
    public async Task<(SessionKey[] Here, SessionKey[] Elsewhere)> SplitAsync(RedisCluster cluster, BackendHarness node, RedisServer server)
    {
        var owners = new Dictionary<SessionKey, RedisServer>();
        foreach (var key in Sessions.Keys)
        {
            owners[key] = await cluster.OwnerOfAsync(node.NameOf(key));
        }

        return ([.. owners.Keys.Where(key => owners[key] == server)], [.. owners.Keys.Where(key => owners[key] != server)]);
    }

    /// <summary>What the writers met.</summary>
    public void Tell(ITestOutputHelper output)
    {
        var failures = Failures.GroupBy(failure => $"{failure.Fault}: {failure.Message}", StringComparer.Ordinal).Select(group => $"{group.Count()} × {group.Key}");
        output.WriteLine($"{Sessions.Count} sessions, {Sessions.Values.Sum(session => session.Answers)} writes answered, {Sessions.Values.Sum(session => (long)session.Lost)} of them lost by the store. "
            + string.Join("; ", failures));
    }

    /// <summary>Ends the writers, then compares what the store holds with what it has answered.</summary>
    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_writers);
        foreach (var (key, session) in Sessions)
        {
            Assert.Equal(session.Version, (await _store.ReadAsync(key, default, CancellationToken.None)).Session?.Version);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_writers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task WriteAsync(SessionKey key, Written session)
    {
        while (!_end.IsCancellationRequested)
        {
            var write = BackendHarness.After(session.Version, 1, 2, 3);
            session.Keep(write, await RepeatAsync(key, write, session));
            await Task.Delay(_pause);
        }
    }

    private async Task<SessionWriteResult> RepeatAsync(SessionKey key, SessionWrite write, Written session)
    {
        while (true)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
            try
            {
                return await _store.WriteAsync(key, write, patience.Token);
            }
            catch (SessionStoreException exception)
            {
                session.Failures.Enqueue(exception);
                await Task.Delay(50);
            }
        }
    }

    /// <summary>What is known of one session.</summary>
    internal sealed class Written
    {
        private int _answers;

        /// <summary>The last version that was answered as written, or found when the store was behind.</summary>
        public SessionVersion Version { get; private set; }

        public int Answers => Volatile.Read(ref _answers);

        public ConcurrentQueue<SessionStoreException> Failures { get; } = new();

        /// <summary>How many answered writes the store no longer had when it was written next.</summary>
        public ulong Lost { get; private set; }

        /// <summary>Only one writer writes a session, so what is no success must be a store that fell behind.</summary>
        public void Keep(SessionWrite write, SessionWriteResult result)
        {
            var found = result.Kind switch
            {
                SessionWriteKind.Written => write.Next,
                SessionWriteKind.Conflict => result.Newer!.Version,
                SessionWriteKind.Absent => SessionVersion.None,
                _ => throw new InvalidOperationException($"A write was answered with {result.Kind}."),
            };
            if (result.Kind != SessionWriteKind.Written)
            {
                Assert.True(found.Counter < Version.Counter, $"A store with {found} refuses {write.Next} after {Version}.");
                Lost += Version.Counter - found.Counter;
            }

            Version = found;
            Interlocked.Increment(ref _answers);
        }
    }
}
