using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tickets;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.Tests.Sessions;

public sealed class GuardedSessionStoreTests
{
    private readonly ManualTime _time = new();
    private readonly SessionsOptions _options = new();
    private readonly SessionKey _key = SessionKey.Of(SessionId.Create());
    private readonly FaultyStore _store;
    private readonly GuardedSessionStore _guarded;

    public GuardedSessionStoreTests()
    {
        _store = new FaultyStore(new MemorySessionStore(_time));
        _guarded = new GuardedSessionStore(_store, _options, _time, TestMetrics.Create(), NullLogger<GuardedSessionStore>.Instance);
    }

    [Fact]
    public async Task A_call_that_gets_no_answer_ends_at_the_time_limit_and_is_ambiguous()
    {
        _store.BeforeWrite = async (_, token) => await Task.Delay(Timeout.Infinite, token);
        var write = WriteAsync();

        _time.Advance(_options.StoreTimeout - TimeSpan.FromMilliseconds(1));
        Assert.False(write.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Equal(SessionStoreFault.Ambiguous, (await Assert.ThrowsAsync<SessionStoreException>(() => write)).Fault);
    }

    [Fact]
    public async Task What_is_known_not_to_be_applied_is_tried_again()
    {
        _store.BeforeWrite = (number, _) => number <= 2 ? throw FaultyStore.NotApplied() : ValueTask.CompletedTask;
        var write = WriteAsync();

        await PassAsync(write);

        Assert.Equal(SessionWriteKind.Written, (await write).Kind);
        Assert.Equal(3, _store.Writes);
    }

    [Fact]
    public async Task What_stays_refused_is_not_applied_and_ends_within_the_time_limit()
    {
        _store.BeforeWrite = (_, _) => throw FaultyStore.NotApplied();
        var started = _time.GetTimestamp();
        var write = WriteAsync();

        await PassAsync(write);

        Assert.Equal(SessionStoreFault.NotApplied, (await Assert.ThrowsAsync<SessionStoreException>(() => write)).Fault);
        Assert.True(_time.GetElapsedTime(started) <= _options.StoreTimeout);
    }

    [Fact]
    public async Task A_read_whose_answer_was_lost_is_asked_again()
    {
        _store.BeforeRead = _ => _store.Reads == 1 ? throw FaultyStore.Ambiguous() : ValueTask.CompletedTask;

        Assert.Equal(SessionReadKind.Absent, (await _guarded.ReadAsync(_key, SessionVersion.None, default)).Kind);
        Assert.Equal(2, _store.Reads);
    }

    [Fact]
    public async Task An_unknown_outcome_is_left_to_the_save_loop()
    {
        _store.AfterWrite = (_, _) => throw FaultyStore.Ambiguous();

        await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);

        Assert.Equal(1, _store.Writes);
    }

    /// <summary>So that a cache in front of a dead database goes on being read, and two nodes that move to another store do not wait longer than they must.</summary>
    [Fact]
    public async Task A_store_that_leaves_its_own_database_alone_is_asked_all_the_same_and_not_twice()
    {
        _store.BeforeWrite = (_, _) => throw GuardedSessionStore.NotAsked();
        for (var i = 1; i <= 30; i++)
        {
            Assert.True(GuardedSessionStore.WasNotAsked(await Assert.ThrowsAsync<SessionStoreException>(WriteAsync)));
            Assert.Equal(i, _store.Writes);
        }

        _store.Heal();
        Assert.Equal(SessionWriteKind.Written, (await WriteAsync()).Kind);
    }

    [Fact]
    public async Task A_store_that_keeps_failing_is_left_alone_and_then_asked_again()
    {
        _store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);
        }

        var open = await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);
        Assert.Equal((SessionStoreFault.NotApplied, 10), (open.Fault, _store.Writes));

        _store.BeforeWrite = (_, _) => ValueTask.CompletedTask;
        _time.Advance(TimeSpan.FromSeconds(1.001));
        Assert.Equal(SessionWriteKind.Written, (await WriteAsync()).Kind);
    }

    [Fact]
    public async Task A_store_that_refuses_writes_is_still_read()
    {
        _store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        for (var i = 0; i < 11; i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);
        }

        Assert.Equal(SessionReadKind.Absent, (await _guarded.ReadAsync(_key, SessionVersion.None, default)).Kind);
    }

    [Fact]
    public async Task A_caller_who_gives_up_gets_a_cancellation_and_not_a_fault_of_the_store()
    {
        using var caller = new CancellationTokenSource();
        _store.BeforeRead = async token => await Task.Delay(Timeout.Infinite, token);
        var read = _guarded.ReadAsync(_key, SessionVersion.None, caller.Token).AsTask();

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read);
    }

    [Fact]
    public async Task A_store_that_ignores_its_token_and_never_answers_ends_at_the_time_limit_too()
    {
        _store.BeforeWrite = async (_, _) => await new TaskCompletionSource().Task;
        var write = WriteAsync();

        _time.Advance(_options.StoreTimeout);

        var e = await Assert.ThrowsAsync<SessionStoreException>(() => write.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(SessionStoreFault.Ambiguous, e.Fault);
    }

    [Fact]
    public async Task A_caller_who_gives_up_on_a_store_that_ignores_its_token_gets_a_cancellation()
    {
        using var caller = new CancellationTokenSource();
        _store.BeforeRead = async _ => await new TaskCompletionSource().Task;
        var read = _guarded.ReadAsync(_key, SessionVersion.None, caller.Token).AsTask();

        await caller.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task An_exception_that_breaks_the_stores_contract_leaves_as_a_fault_of_the_store_with_an_unknown_outcome()
    {
        _store.BeforeWrite = (_, _) => throw new TimeoutException("from a driver");

        var e = await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);

        Assert.Equal(SessionStoreFault.Ambiguous, e.Fault);
        Assert.IsType<TimeoutException>(e.InnerException);
    }

    [Fact]
    public async Task A_store_whose_driver_throws_its_own_exceptions_is_left_alone_too()
    {
        _store.BeforeWrite = (_, _) => throw new IOException("from a driver");
        for (var i = 0; i < 11; i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);
        }

        Assert.Equal(10, _store.Writes);
    }

    [Fact]
    public async Task After_the_pause_one_call_asks_and_the_others_still_fail_at_once()
    {
        _store.BeforeWrite = (_, _) => throw FaultyStore.Ambiguous();
        for (var i = 0; i < 10; i++)
        {
            await Assert.ThrowsAsync<SessionStoreException>(WriteAsync);
        }

        _time.Advance(TimeSpan.FromSeconds(1.001));
        var answer = new TaskCompletionSource();
        _store.BeforeWrite = async (_, _) => await answer.Task;
        var probe = WriteAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Record.ExceptionAsync(WriteAsync)));
        answer.SetResult();

        Assert.Equal(SessionWriteKind.Written, (await probe).Kind);
        Assert.All(others, e => Assert.True(GuardedSessionStore.WasNotAsked(Assert.IsType<SessionStoreException>(e))));
        Assert.Equal(11, _store.Writes);
    }

    private Task<SessionWriteResult> WriteAsync() => _guarded.WriteAsync(
        _key, new SessionWrite(SessionVersion.None, SessionVersion.None.Next(), 0, new byte[] { 1 }, _options.IdleTimeout, _options.AbsoluteTimeout), default).AsTask();

    /// <summary>Lets the pauses between tries pass.</summary>
    private async Task PassAsync(Task work)
    {
        for (var i = 0; i < 2000 && !work.IsCompleted; i++)
        {
            if (_time.ArmedTimers > 0)
            {
                _time.Advance(TimeSpan.FromMilliseconds(1));
            }

            await Task.Yield();
        }
    }
}
