using Affinity.Backends;
using Affinity.Backends.Memory;
using Affinity.Backends.WriteThrough;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tests.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Backends;

/// <summary>What depends on time and on a cache that misbehaves; what the real cache does is tried with a real one.</summary>
public sealed class WriteThroughSessionStoreTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(5);

    private readonly ManualTime _time = new();
    private readonly FaultyStore _database;
    private readonly OneSessionCache _cache = new();
    private readonly LogLines<WriteThroughSessionStore> _log = new();
    private readonly SessionKey _key = SessionKey.Of(SessionId.Create());
    private readonly WriteThroughSessionStore _store;

    public WriteThroughSessionStoreTests()
    {
        _database = new FaultyStore(new MemorySessionStore(_time));
        _store = new WriteThroughSessionStore(_database, _cache, new WriteThroughOptions { MaxAge = MaxAge, StoreTimeout = TimeSpan.FromSeconds(1) }, _time, TestMetrics.Create(), _log);
    }

    [Theory]
    [InlineData(4999, 0)]
    [InlineData(5000, 1)]
    public async Task A_copy_answers_by_itself_while_it_is_younger_than_it_may_be(int milliseconds, int asked)
    {
        var version = await WriteAsync();
        _cache.Held = Copy(version, TimeSpan.FromMilliseconds(milliseconds));

        var read = await ReadAsync();

        Assert.Equal((SessionReadKind.Found, version, asked), (read.Kind, read.Session!.Version, _database.Reads));
    }

    [Fact]
    public async Task A_copy_tells_its_age()
    {
        _cache.Held = Copy(await WriteAsync(), TimeSpan.FromSeconds(3));

        Assert.Equal(TimeSpan.FromSeconds(3), (await ReadAsync()).Session!.Age);
    }

    [Fact]
    public async Task A_copy_that_the_database_has_confirmed_is_fresh()
    {
        _cache.Held = Copy(await WriteAsync(), TimeSpan.FromMinutes(3));

        Assert.Equal(TimeSpan.Zero, (await ReadAsync()).Session!.Age);
    }

    [Fact]
    public async Task A_copy_that_does_not_contain_what_the_caller_knows_is_passed_by()
    {
        var first = await WriteAsync();
        var second = await WriteAsync(first);
        _cache.Held = Copy(first, TimeSpan.Zero);

        Assert.Equal(SessionReadKind.Unchanged, (await ReadAsync(second)).Kind);
        Assert.Equal(1, _database.Reads);
    }

    [Fact]
    public async Task Parallel_misses_of_one_session_ask_the_database_once()
    {
        var version = await WriteAsync();
        var goOn = new TaskCompletionSource();
        _database.BeforeRead = _ => new ValueTask(goOn.Task);
        var reading = Enumerable.Range(0, 20).Select(_ => ReadAsync()).ToArray();
        goOn.SetResult();

        Assert.All(await Task.WhenAll(reading), read => Assert.Equal(version, read.Session!.Version));
        Assert.Equal(1, _database.Reads);
    }

    [Fact]
    public async Task Who_shares_a_question_that_was_asked_before_is_told_how_long_before()
    {
        await WriteAsync();
        var goOn = new TaskCompletionSource();
        _database.BeforeRead = _ => new ValueTask(goOn.Task);
        var first = ReadAsync();
        _time.Advance(TimeSpan.FromMilliseconds(300));
        var second = ReadAsync();
        goOn.SetResult();

        Assert.Equal(TimeSpan.Zero, (await first).Session!.Age);
        Assert.Equal(TimeSpan.FromMilliseconds(300), (await second).Session!.Age);
    }

    [Fact]
    public async Task A_visitor_who_hangs_up_does_not_end_the_question_of_others()
    {
        var version = await WriteAsync();
        var goOn = new TaskCompletionSource();
        _database.BeforeRead = _ => new ValueTask(goOn.Task);
        using var hangsUp = new CancellationTokenSource();
        var first = _store.ReadAsync(_key, default, hangsUp.Token).AsTask();
        var second = ReadAsync();
        await hangsUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        goOn.SetResult();

        Assert.Equal(version, (await second).Session!.Version);
    }

    [Fact]
    public async Task A_silent_cache_is_waited_for_once_and_left_alone_until_it_answers()
    {
        var version = await WriteAsync();
        var silence = _cache.Silence();
        var first = ReadAsync();
        Assert.False(first.IsCompleted);
        var calls = _cache.Calls + 1;
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(version, (await first).Session!.Version);
        Assert.True(SpinWait.SpinUntil(() => _cache.Calls == calls, TimeSpan.FromSeconds(10))); // the trial, in the background

        var second = ReadAsync();
        Assert.True(second.IsCompletedSuccessfully); // without any time passing
        await WriteAsync(version);
        Assert.Equal(calls, _cache.Calls); // that is still under way
        Assert.Equal(["SessionCacheAway"], _log.Events);

        silence.SetResult();
        Assert.True(SpinWait.SpinUntil(() => _log.Count("SessionCacheBack") == 1, TimeSpan.FromSeconds(10)));
        _cache.Held = Copy(version, TimeSpan.Zero);
        var reads = _database.Reads;
        Assert.Equal(version, (await ReadAsync()).Session!.Version);
        Assert.Equal(reads, _database.Reads);
    }

    [Fact]
    public async Task That_the_first_call_takes_long_to_connect_is_not_told()
    {
        var silence = _cache.Silence();
        var reading = ReadAsync();
        _time.Advance(TimeSpan.FromMilliseconds(200));
        Assert.Equal(SessionRead.Absent, await reading);
        silence.SetResult();

        Assert.Empty(_log.Events);
    }

    [Fact]
    public async Task A_cache_that_refuses_changes_is_still_read_and_told_of_once()
    {
        _cache.Refusal = new SessionCacheException("OOM", isAway: false, new InvalidOperationException());
        var version = await WriteAsync();
        await WriteAsync(version);
        _cache.Held = Copy(version, TimeSpan.Zero);

        Assert.Equal(version, (await ReadAsync()).Session!.Version);
        Assert.Equal(["SessionCacheRefuses"], _log.Events);
    }

    [Fact]
    public async Task After_three_faults_in_a_row_the_database_is_asked_once_a_second_and_nobody_else_waits_for_it()
    {
        await WriteAsync();
        _database.BeforeRead = _ => throw FaultyStore.Ambiguous();
        for (var i = 0; i < 3; i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync());
        }

        var refused = await Assert.ThrowsAsync<SessionStoreException>(() => ReadAsync());
        Assert.True(GuardedSessionStore.WasNotAsked(refused));
        Assert.Equal((SessionStoreFault.NotApplied, 3), (refused.Fault, _database.Reads));
        Assert.Equal(["SessionDatabaseAway"], _log.Events);

        _time.Advance(TimeSpan.FromSeconds(1));
        _database.Heal();
        Assert.Equal(SessionReadKind.Found, (await ReadAsync()).Kind);
        Assert.Equal(["SessionDatabaseAway", "SessionDatabaseBack"], _log.Events);
    }

    [Fact]
    public async Task A_silent_database_is_waited_for_half_a_call_by_who_has_a_copy_and_then_not_at_all()
    {
        _cache.Held = Copy(await WriteAsync(), TimeSpan.FromMinutes(1));
        _database.BeforeRead = _ => new ValueTask(new TaskCompletionSource().Task);
        var first = ReadAsync();
        Assert.False(first.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(500));

        Assert.Equal(TimeSpan.FromMinutes(1), (await first).Session!.Age);
        Assert.True(ReadAsync().IsCompletedSuccessfully);
        Assert.Equal(1, _database.Reads);
    }

    private static CachedSession Copy(SessionVersion version, TimeSpan age) =>
        new(CachedSessionKind.Copy, new StoredSession(version, 0, new byte[] { 1 }, Hour, Hour) { Writes = [version] }, "f", age);

    private async Task<SessionVersion> WriteAsync(SessionVersion expected = default)
    {
        var write = new SessionWrite(expected, expected.Next(), 0, new byte[] { 1 }, Hour, Hour);
        Assert.Equal(SessionWriteKind.Written, (await _store.WriteAsync(_key, write, CancellationToken.None)).Kind);
        return write.Next;
    }

    private Task<SessionRead> ReadAsync(SessionVersion known = default) => _store.ReadAsync(_key, known, CancellationToken.None).AsTask();

    /// <summary>A cache that answers what a test has put there, or nothing.</summary>
    private sealed class OneSessionCache : ISessionCache
    {
        private Task _silence = Task.CompletedTask;

        public CachedSession Held { get; set; } = CachedSession.Absent;

        public SessionCacheException? Refusal { get; set; }

        public int Calls { get; private set; }

        public long Now => 1;

        public TaskCompletionSource Silence()
        {
            var silence = new TaskCompletionSource();
            _silence = silence.Task;
            return silence;
        }

        public async ValueTask<CachedSession> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
        {
            Calls++;
            await _silence;
            return Held;
        }

        public ValueTask FillAsync(SessionKey key, StoredSession session, long asOf, string? replaces, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask AdvanceAsync(SessionKey key, SessionWrite write, long asOf, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask DoubtAsync(SessionKey key, SessionVersion version, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask VouchAsync(SessionKey key, StoredSession session, long asOf, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask EndAsync(SessionKey key, TimeSpan remember, long asOf, CancellationToken cancellationToken) => ChangeAsync();

        public ValueTask DropAsync(SessionKey key, CancellationToken cancellationToken) => ChangeAsync();

        private async ValueTask ChangeAsync()
        {
            Calls++;
            await _silence;
            if (Refusal is not null)
            {
                throw Refusal;
            }
        }
    }
}
