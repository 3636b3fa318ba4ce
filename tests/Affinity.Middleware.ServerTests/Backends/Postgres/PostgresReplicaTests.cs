using System.Collections.Concurrent;
using System.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends.Postgres;

/// <summary>One primary and five replicas for all facts of the class.</summary>
public sealed class FiveReplicas : IAsyncLifetime, IAsyncDisposable
{
    private PostgresPair? _pair;

    internal PostgresPair Pair => _pair!;

    public async Task InitializeAsync() => _pair = Requirements.SkipReason(Needs.Postgres) is null ? await PostgresPair.StartAsync(replicas: 5) : null;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _pair, value: null) is { } pair)
        {
            await pair.DisposeAsync();
        }
    }

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();
}

public sealed class PostgresReplicaTests(FiveReplicas five, ITestOutputHelper output) : IClassFixture<FiveReplicas>
{
    private const string Row = "| {0,-28} | {1,7} | {2,8} | {3,6} | {4,7} | {5,6} | {6,5} |";

    private readonly PostgresPair _pair = five.Pair;

    [ServerFact(Needs.Postgres)]
    public async Task While_the_replicas_stand_still_nobody_is_shown_anything_stale_and_the_primary_answers()
    {
        await using var node = Node(_pair);
        await using var visitors = new ReplicaVisitors(node, visitors: 12);
        await visitors.UntilAsync(() => node.Reads["replica"] > 200);
        output.WriteLine(Row, "replicas", "replica", "older", "absent", "lagging", "failed", "stale");
        Tell("follow");

        await Task.WhenAll(_pair.Replicas.Select(PostgresPair.PauseAsync));
        var watch = Stopwatch.StartNew();
        var paused = TimeSpan.FromSeconds(double.Parse(Environment.GetEnvironmentVariable("REPLAY_PAUSED_SECONDS") ?? "2", System.Globalization.CultureInfo.InvariantCulture));
        await visitors.UntilAsync(() => watch.Elapsed > paused);
        var (lagging, older) = (node.Reads["lagging"], node.Reads["older"]);
        Tell($"paused for {watch.Elapsed.TotalSeconds:0.0} s");
        await Task.WhenAll(_pair.Replicas.Select(PostgresPair.ResumeAsync));
        var before = node.Reads["replica"];
        await visitors.UntilAsync(() => node.Reads["replica"] > before + 200);
        Tell("follow again");

        await visitors.EndAsync();
        Assert.Equal(0, visitors.Stale);
        Assert.True(older > 0 && lagging > 0, $"{older} older, {lagging} lagging");
        Assert.Contains(node.Logged, line => line.StartsWith("PostgresReplicaLeft:", StringComparison.Ordinal));

        void Tell(string phase) => output.WriteLine(Row, phase, node.Reads["replica"], node.Reads["older"], node.Reads["absent"], node.Reads["lagging"], node.Reads["failed"], visitors.Stale);
    }

    [ServerFact(Needs.Postgres)]
    public async Task Of_five_replicas_one_may_be_silent_and_one_dead_and_no_read_fails()
    {
        await using var node = Node(_pair);
        await using var visitors = new ReplicaVisitors(node, visitors: 8);
        await visitors.UntilAsync(() => node.Reads["replica"] > 100);

        var (dead, silent) = (_pair.Replicas[3], _pair.Replicas[4]);
        dead.Kill();
        var before = node.Reads["replica"];
        await visitors.UntilAsync(() => node.Reads["replica"] > before + 200);
        silent.Freeze();
        before = node.Reads["replica"];
        await visitors.UntilAsync(() => node.Reads["replica"] > before + 200);
        silent.Thaw();
        await dead.RestartAsync();

        await visitors.EndAsync();
        output.WriteLine($"{visitors.Answered} reads answered, {node.Reads["replica"]} by a replica, {node.Reads["failed"]} of which a replica failed; the longest took {visitors.Longest.TotalMilliseconds:0} ms.");
        Assert.Equal((0, 0), (visitors.Stale, visitors.Failed));
    }

    [ServerFact(Needs.Postgres)]
    public async Task All_five_are_read_and_a_session_that_was_never_seen_there_is_the_primarys()
    {
        await using var node = Node(_pair);
        await node.WriteAsync(BackendHarness.Create(1));
        await _pair.WaitUntilReplayedAsync();
        var version = (await node.ReadAsync()).Session!.Version;
        await UntilReadAsync(node, version);
        var scans = await ScansAsync(node.Schema);
        for (var i = 0; i < 50; i++)
        {
            var read = await node.Store.ReadAtLeastAsync(node.Key, SessionVersion.None, version, CancellationToken.None);
            Assert.Equal((SessionReadKind.Found, version), (read.Kind, read.Session!.Version));
            Assert.InRange(read.Session.Age, TimeSpan.FromTicks(1), node.Replicas.Limit);
        }

        var known = await node.Store.ReadAtLeastAsync(node.Key, version, version, CancellationToken.None);
        Assert.Equal(SessionReadKind.Unchanged, known.Kind);
        Assert.Equal(SessionRead.Absent, await node.Store.ReadAtLeastAsync(SessionKey.Of(SessionId.Create()), SessionVersion.None, version, CancellationToken.None));
        Assert.Equal(TimeSpan.Zero, (await node.Store.ReadAsync(node.Key, SessionVersion.None, CancellationToken.None)).Session!.Age);
        Assert.Equal(1, node.Reads["absent"]);
        Assert.Equal(5, scans.Length);
    }

    [ServerFact(Needs.Postgres)]
    public async Task A_standby_answers_reads_and_refuses_to_be_the_last_word_and_every_change()
    {
        await using var primary = Node(_pair);
        var create = BackendHarness.Create(1);
        await primary.WriteAsync(create);
        await _pair.WaitUntilReplayedAsync();
        await using var node = new PostgresNode(_pair.Replicas[1].ConnectionString, primary.Schema);

        Assert.Equal(create.Next, (await node.ReadAsync(key: primary.Key)).Session!.Version);
        Func<Task>[] refused =
        [
            async () => await node.Store.ReadLatestAsync(primary.Key, SessionVersion.None, CancellationToken.None),
            () => node.WriteAsync(BackendHarness.After(create.Next, 2), primary.Key),
            () => node.WriteAsync(BackendHarness.Create(2)),
            async () => await node.Store.TouchAsync(primary.Key, BackendHarness.Hour, CancellationToken.None),
            async () => await node.Store.DeleteAsync(primary.Key, BackendHarness.Hour, CancellationToken.None),
        ];
        foreach (var call in refused)
        {
            Assert.Equal(SessionStoreFault.NotApplied, (await Assert.ThrowsAsync<SessionStoreException>(call)).Fault);
        }

        Assert.Equal(create.Next, (await primary.ReadAsync()).Session!.Version);
        Assert.Contains("a standby", await node.Store.TestifyAsync(CancellationToken.None), StringComparison.Ordinal);
    }

    [ServerFact(Needs.Postgres)]
    public async Task Writers_go_on_with_the_promoted_replica_and_what_was_replicated_is_there()
    {
        await using var pair = await PostgresPair.StartAsync(synchronous: true);
        await using var node = new PostgresNode(pair.ConnectionString);
        await using var load = new WriterLoad(node.Store, sessions: 20, TimeSpan.FromMilliseconds(5));
        await load.GoOnAsync();
        Assert.True(await node.Store.IsReplicatedAsync(CancellationToken.None));

        pair.Primary.Kill();
        await PostgresPair.PromoteAsync(pair.Replica);
        var promoted = Stopwatch.StartNew();
        await load.GoOnAsync();
        output.WriteLine($"All were written again {promoted.ElapsedMilliseconds} ms after the promotion.");

        await load.EndAsync();
        load.Tell(output);
        Assert.All(load.Sessions.Values, session => Assert.Equal(0UL, session.Lost));
    }

    [ServerFact(Needs.Postgres)]
    public async Task What_is_on_a_standby_too_is_told_and_without_one_it_is_not()
    {
        await using var node = new PostgresNode(_pair.Primary.ConnectionString);
        await node.WriteAsync(BackendHarness.Create(1));
        Assert.True(await node.Store.IsReplicatedAsync(CancellationToken.None));

        _pair.Part();
        await node.WriteAsync(BackendHarness.Create(2), SessionKey.Of(SessionId.Create()));
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        try
        {
            Assert.False(await node.Store.IsReplicatedAsync(patience.Token));
        }
        catch (OperationCanceledException)
        {
            // The primary has not noticed yet that its standby is cut off.
        }

        _pair.Network.Refuse = false;
        await _pair.WaitUntilReplayedAsync();
        using var again = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!await node.Store.IsReplicatedAsync(again.Token))
        {
            await Task.Delay(50, again.Token);
        }
    }

    private static PostgresNode Node(PostgresPair pair) => new(pair.Primary.ConnectionString, configure: options => options.Replicas = pair.ReplicasConnectionString);

    private static async Task UntilReadAsync(PostgresNode node, SessionVersion version)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (node.Reads["replica"] < 10)
        {
            await node.Store.ReadAtLeastAsync(node.Key, SessionVersion.None, version, patience.Token);
            await Task.Delay(10, patience.Token);
        }
    }

    /// <summary>The replicas that know the schema.</summary>
    private async Task<bool[]> ScansAsync(string schema) => await Task.WhenAll(_pair.Replicas.Select(replica => replica.ScalarAsync<bool>($"SELECT to_regclass('{schema}.sessions') IS NOT NULL")));
}

/// <summary>Visitors who write, and then read what they know of; and some who end their session, and go on reading.</summary>
internal sealed class ReplicaVisitors : IAsyncDisposable
{
    // What a test process may be late by, on a machine that does other things.
    private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(20);

    private readonly CancellationTokenSource _end = new();
    private readonly PostgresNode _node;
    private readonly Task[] _visitors;
    private readonly ConcurrentQueue<Exception> _failures = new();
    private int _stale;
    private int _answered;
    private long _longest;

    public ReplicaVisitors(PostgresNode node, int visitors)
    {
        _node = node;
        _visitors = [.. Enumerable.Range(0, visitors).Select(i => Task.Run(() => i % 4 == 0 ? EndAgainAndAgainAsync() : WriteAndReadAsync()))];
    }

    public int Stale => Volatile.Read(ref _stale);

    public int Failed => _failures.Count;

    public int Answered => Volatile.Read(ref _answered);

    public TimeSpan Longest => TimeSpan.FromTicks(Volatile.Read(ref _longest));

    public async Task UntilAsync(Func<bool> isEnough)
    {
        var watch = Stopwatch.StartNew();
        while (!isEnough())
        {
            Assert.Empty(_failures);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), "It did not come to that within 20 s.");
            await Task.Delay(10);
        }
    }

    public async Task EndAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_visitors);
        Assert.Empty(_failures);
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_visitors).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task WriteAndReadAsync()
    {
        var (key, version) = (SessionKey.Of(SessionId.Create()), SessionVersion.None);
        for (byte turn = 1; !_end.IsCancellationRequested; turn++)
        {
            try
            {
                var write = BackendHarness.After(version, turn);
                Assert.Equal(SessionWriteKind.Written, (await _node.WriteAsync(write, key)).Kind);
                version = write.Next;
                for (var read = 0; read < 5; read++)
                {
                    var found = await ReadAsync(key, version);
                    if (found.Kind != SessionReadKind.Found || found.Session!.Version != version || found.Session.Payload.Span[0] != turn)
                    {
                        Interlocked.Increment(ref _stale);
                    }

                    await Task.Delay(read);
                }
            }
            catch (Exception exception)
            {
                _failures.Enqueue(exception);
                return;
            }
        }
    }

    /// <summary>An ending may be shown late by no more than the answer says of its age.</summary>
    private async Task EndAgainAndAgainAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var (key, create) = (SessionKey.Of(SessionId.Create()), BackendHarness.Create(1));
                await _node.WriteAsync(create, key);
                await Task.Delay(Random.Shared.Next(60));
                await _node.Store.DeleteAsync(key, BackendHarness.Hour, CancellationToken.None);
                var ended = Stopwatch.StartNew();
                for (var kind = SessionReadKind.Found; kind == SessionReadKind.Found;)
                {
                    var since = ended.Elapsed;
                    var read = await ReadAsync(key, create.Next);
                    kind = read.Kind;
                    if (kind != SessionReadKind.Ended && since > (read.Session?.Age ?? TimeSpan.Zero) + Slack)
                    {
                        Interlocked.Increment(ref _stale);
                    }

                    await Task.Delay(10);
                }
            }
            catch (Exception exception)
            {
                _failures.Enqueue(exception);
                return;
            }
        }
    }

    private async Task<SessionRead> ReadAsync(SessionKey key, SessionVersion atLeast)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var watch = Stopwatch.StartNew();
        var read = await _node.Store.ReadAtLeastAsync(key, SessionVersion.None, atLeast, patience.Token);
        Interlocked.Increment(ref _answered);
        for (var longest = Volatile.Read(ref _longest); watch.Elapsed.Ticks > longest; longest = Volatile.Read(ref _longest))
        {
            Interlocked.CompareExchange(ref _longest, watch.Elapsed.Ticks, longest);
        }

        return read;
    }
}
