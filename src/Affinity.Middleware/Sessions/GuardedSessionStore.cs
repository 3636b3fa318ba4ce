using Affinity.Diagnostics;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;
using Polly.Timeout;

namespace Affinity.Sessions;

/// <summary>
/// Any store, guarded: each call, tries and pauses included, ends within <see cref="SessionsOptions.StoreTimeout"/>; what is known not to have been applied is tried again, and so is a read whose answer was lost;
/// a store that keeps failing is left alone for a second, and then asked by one call first. Reading and changing have a breaker each, so that a store
/// which refuses writes (full, read-only) is still read. Every fault that leaves here is a <see cref="SessionStoreException"/>, whatever the store throws.
/// </summary>
internal sealed class GuardedSessionStore : ISessionStore
{
    /// <summary>For at most so long a store that keeps failing is left alone.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ReplicaTellsWithin = TimeSpan.FromSeconds(2);

    private readonly ISessionStore _inner;
    private readonly TimeProvider _time;
    private readonly AffinityMetrics _metrics;
    private readonly TimeSpan _limit;
    private readonly StoreSilence _silence;
    private readonly TimeSpan _late;
    private readonly ResiliencePipeline _reading;
    private readonly ResiliencePipeline _changing;

    public GuardedSessionStore(ISessionStore inner, SessionsOptions options, TimeProvider time, AffinityMetrics metrics, ILogger<GuardedSessionStore> logger, StoreSilence? silence = null)
    {
        (_inner, _time, _metrics, _limit) = (inner, time, metrics, options.StoreTimeout);
        (_silence, _late) = (silence ?? new StoreSilence(options, time), options.StoreTimeout / 2);
        _reading = Build("reads", options.StoreTimeout, time, logger);
        _changing = Build("writes", options.StoreTimeout, time, logger);
    }

    /// <summary>A fault of a call that is not made, as the store was silent a moment ago.</summary>
    public static SessionStoreException NotAsked() =>
        new(SessionStoreFault.NotApplied, "The session store did not answer a moment ago and is left alone.", new BrokenCircuitException());

    /// <summary>Whether this was refused by an open breaker, which has been told already: no line per request.</summary>
    public static bool WasNotAsked(SessionStoreException fault) => fault.InnerException is BrokenCircuitException;

    /// <inheritdoc/>
    public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) =>
        CallAsync(_reading, "read", static (store, call, token) => ReadTwiceAsync(call, static (store, call, token) => store.ReadAsync(call.key, call.known, token), store, token), (key, known), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken) =>
        CallAsync(
            _reading,
            "read",
            static (store, call, token) => ReadTwiceAsync(call, static (store, call, token) => store.ReadAtLeastAsync(call.key, call.known, call.atLeast, token), store, token),
            (key, known, atLeast),
            cancellationToken);

    /// <inheritdoc/>
    /// <remarks>A change as far as the breaker is concerned: a replica answers reads and refuses this.</remarks>
    public ValueTask<SessionRead> ReadLatestAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken) =>
        CallAsync(_changing, "confirm", static (store, call, token) => ReadTwiceAsync(call, static (store, call, token) => store.ReadLatestAsync(call.key, call.known, token), store, token), (key, known), cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Left alone by the breakers, and bounded all the same.</remarks>
    public async ValueTask<string?> TestifyAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        return await TryOnceAsync(_inner, static (store, _, token) => store.TestifyAsync(token), call: 0, cancellationToken, either.Token);
    }

    /// <inheritdoc/>
    /// <remarks>In the background, so it may take longer than a request's call: a replica tells every second how far it is. Left alone by the breakers, too.</remarks>
    public async ValueTask<bool> IsReplicatedAsync(CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(_limit + ReplicaTellsWithin, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        return await TryOnceAsync(_inner, static (store, _, token) => store.IsReplicatedAsync(token), call: 0, cancellationToken, either.Token);
    }

    /// <inheritdoc/>
    public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken) =>
        CallAsync(_changing, "write", static (store, call, token) => store.WriteAsync(call.key, call.write, token), (key, write), cancellationToken);

    /// <inheritdoc/>
    public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) =>
        CallAsync(_changing, "touch", static (store, call, token) => store.TouchAsync(call.key, call.idle, token), (key, idle), cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) =>
        await CallAsync(
            _changing,
            "delete",
            static async (store, call, token) =>
            {
                await store.DeleteAsync(call.key, call.remember, token);
                return true;
            },
            (key, remember),
            cancellationToken);

    private async ValueTask<TResult> CallAsync<TCall, TResult>(
        ResiliencePipeline pipeline,
        string operation,
        Func<ISessionStore, TCall, CancellationToken, ValueTask<TResult>> send,
        TCall call,
        CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var outcome = "ok";
        try
        {
            var answer = await pipeline.ExecuteAsync(
                static (state, token) => TryOnceAsync(state._inner, state.send, state.call, state.cancellationToken, token),
                (_inner, send, call, cancellationToken),
                cancellationToken);
            _silence.End();
            return answer;
        }
        catch (SessionStoreException e)
        {
            outcome = Word(e.Fault);
            if (e.Fault == SessionStoreFault.Ambiguous && _time.GetElapsedTime(started) >= _late)
            {
                _silence.Begin();
            }

            throw;
        }
        catch (BrokenCircuitException e)
        {
            outcome = Word(SessionStoreFault.NotApplied);
            throw new SessionStoreException(SessionStoreFault.NotApplied, "The session store keeps failing and is left alone for a moment.", e);
        }
        catch (TimeoutRejectedException e)
        {
            outcome = Word(SessionStoreFault.NotApplied); // ended between two tries: a try that was under way is ambiguous and says so itself
            throw new SessionStoreException(SessionStoreFault.NotApplied, "The session store refused or could not be reached within the time limit.", e);
        }
        finally
        {
            _metrics.StoreCalled(operation, outcome, _time.GetElapsedTime(started));
        }
    }

    /// <summary>A read whose answer was lost with its connection is asked again at once: it changes nothing.</summary>
    private static async ValueTask<SessionRead> ReadTwiceAsync<TCall>(TCall call, Func<ISessionStore, TCall, CancellationToken, ValueTask<SessionRead>> read, ISessionStore store, CancellationToken cancellationToken)
    {
        try
        {
            return await read(store, call, cancellationToken);
        }
        catch (SessionStoreException e) when (e.Fault == SessionStoreFault.Ambiguous && !cancellationToken.IsCancellationRequested)
        {
            return await read(store, call, cancellationToken);
        }
    }

    private static async ValueTask<TResult> TryOnceAsync<TCall, TResult>(
        ISessionStore store,
        Func<ISessionStore, TCall, CancellationToken, ValueTask<TResult>> send,
        TCall call,
        CancellationToken caller,
        CancellationToken cancellationToken)
    {
        try
        {
            var answer = send(store, call, cancellationToken);
            // The limit holds for a store that ignores its token, too: its answer is left behind.
            return answer.IsCompletedSuccessfully ? answer.Result : await answer.AsTask().WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException e) when (!caller.IsCancellationRequested)
        {
            throw new SessionStoreException(SessionStoreFault.Ambiguous, "The session store did not answer within the time limit.", e);
        }
        catch (Exception e) when (e is not (SessionStoreException or OperationCanceledException or ArgumentException))
        {
            // A driver's own exception, against the contract: nobody knows what became of the call. Its text may quote keys, so it is not repeated.
            throw new SessionStoreException(SessionStoreFault.Ambiguous, $"The session store failed with {e.GetType().Name}.", e);
        }
    }

    private static ResiliencePipeline Build(string operation, TimeSpan limit, TimeProvider time, ILogger logger) =>
        new ResiliencePipelineBuilder { TimeProvider = time }
            .AddTimeout(limit)
            .AddRetry(new RetryStrategyOptions
            {
                ShouldHandle = new PredicateBuilder().Handle<SessionStoreException>(e => e.Fault == SessionStoreFault.NotApplied && !WasNotAsked(e)),
                MaxRetryAttempts = 4,
                Delay = TimeSpan.FromMilliseconds(20),
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
            })
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // A store that leaves its own database alone for a moment, and answers from copies meanwhile, is not left alone for it.
                ShouldHandle = new PredicateBuilder().Handle<SessionStoreException>(e => e.Fault != SessionStoreFault.Unreadable && !WasNotAsked(e)),
                FailureRatio = 0.5,
                MinimumThroughput = 10,
                SamplingDuration = TimeSpan.FromSeconds(5),
                // Else the nodes of a farm, which lose the store at one moment, would ask it in step.
                BreakDurationGenerator = static _ => ValueTask.FromResult(Pause * (0.75 + (Random.Shared.NextDouble() / 4))),
                OnOpened = opened =>
                {
                    logger.SessionStoreCircuitOpened(operation, Pause, opened.Outcome.Exception?.Message ?? "no reason given");
                    return ValueTask.CompletedTask;
                },
                OnClosed = _ =>
                {
                    logger.SessionStoreCircuitClosed(operation);
                    return ValueTask.CompletedTask;
                },
            })
            .Build();

    private static string Word(SessionStoreFault fault) => fault switch
    {
        SessionStoreFault.NotApplied => "not_applied",
        SessionStoreFault.Ambiguous => "ambiguous",
        SessionStoreFault.Unreadable => "unreadable",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
