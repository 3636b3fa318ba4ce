using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// The one connection of this process, made at the first call. It survives a server that is not there yet, restarts, or goes away:
/// calls fail meanwhile, and the next ones work once the server is back.
/// </summary>
internal sealed class RedisConnection(RedisOptions options, TimeProvider time, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    private const int ReconnectPauseMilliseconds = 500;
    private const int KeepAliveSeconds = 5;

    private readonly Lock _gate = new();
    private Task<ConnectionMultiplexer>? _connecting;
    private ConnectionMultiplexer? _multiplexer;
    private bool _closed;
    private int _state;
    private int _refusalTold;
    private int _looking;

    /// <summary>Which history of data has been met over it.</summary>
    public RedisHistory History { get; } = new();

    /// <summary>The database to send commands to.</summary>
    /// <exception cref="RedisNotConnectedException">There has been no connection, so nothing can have been sent.</exception>
    public async ValueTask<IDatabase> GetDatabaseAsync(CancellationToken cancellationToken) => (await GetMultiplexerAsync(cancellationToken)).GetDatabase();

    /// <summary>Whom to ask for announcements, over a second connection that comes and goes with the first.</summary>
    /// <exception cref="RedisNotConnectedException">As above.</exception>
    public async ValueTask<ISubscriber> GetSubscriberAsync(CancellationToken cancellationToken) => (await GetMultiplexerAsync(cancellationToken)).GetSubscriber();

    /// <summary>
    /// One sentence for the exception that a stage gets. A client that is stuck is replaced. A login that was refused is told here, as the client names it in what its calls fail with and in no event; and only as long as
    /// there has been no connection: of a password that is changed later it says no more than that the connection is lost.
    /// </summary>
    public string Explain(Exception exception)
    {
        if (RedisFaults.IsRefusedLogin(exception) && Interlocked.Exchange(ref _refusalTold, 1) == 0)
        {
            logger.RedisLoginRefused();
        }

        if (RedisFaults.LacksConnection(exception))
        {
            LookWhetherStuck();
        }

        return RedisFaults.Describe(exception);
    }

    /// <summary>
    /// An answer over it belonged to another call, so every answer behind that one may: it is closed, what is under way over it fails at once, and the next call makes a new one. Told once, by whoever is first.
    /// </summary>
    public void Distrust(object multiplexer)
    {
        if (TryReplace(multiplexer))
        {
            logger.RedisRepliesMixedUp();
        }
    }

    /// <summary>Whether calls still go over it.</summary>
    public bool IsCurrent(object multiplexer)
    {
        lock (_gate)
        {
            return ReferenceEquals(_multiplexer, multiplexer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task<ConnectionMultiplexer>? connecting;
        lock (_gate)
        {
            _closed = true;
            connecting = _connecting;
        }

        if (connecting is null)
        {
            return;
        }

        await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (connecting.IsCompletedSuccessfully)
        {
            await CloseAsync(await connecting);
        }
    }

    /// <summary>In the background, one look at a time.</summary>
    private void LookWhetherStuck()
    {
        var multiplexer = Volatile.Read(ref _multiplexer);
        if (multiplexer is not null && Interlocked.Exchange(ref _looking, 1) == 0)
        {
            _ = Task.Run(() => ReplaceIfStuckAsync(multiplexer));
        }
    }

    private async Task ReplaceIfStuckAsync(ConnectionMultiplexer multiplexer)
    {
        try
        {
            if (await RedisStuckClient.IsStuckAsync(multiplexer, time) && TryReplace(multiplexer))
            {
                logger.RedisConnectionReplaced();
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile.
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    /// <summary>Closes it: what is under way over it fails at once, and the next call makes a new one. False: it is not in use any more.</summary>
    private bool TryReplace(object multiplexer)
    {
        lock (_gate)
        {
            if (_closed || !ReferenceEquals(_multiplexer, multiplexer))
            {
                return false;
            }

            (_multiplexer, _connecting) = (null, null);
        }

        Interlocked.Exchange(ref _state, State.Unknown);
        _ = CloseAsync((ConnectionMultiplexer)multiplexer);
        return true;
    }

    private async Task CloseAsync(ConnectionMultiplexer multiplexer)
    {
        multiplexer.ConnectionFailed -= OnFailed;
        multiplexer.ConnectionRestored -= OnRestored;

        // Waiting for answers could last for ever with a stopped server; the calls that matter have been awaited by their callers.
        await multiplexer.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async ValueTask<ConnectionMultiplexer> GetMultiplexerAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var connecting = Connecting();
        if (connecting.IsCompletedSuccessfully)
        {
            return await connecting;
        }

        try
        {
            return await connecting.WaitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            lock (_gate)
            {
                // The next call tries anew: a host name that does not resolve yet may do so later.
                _connecting = ReferenceEquals(_connecting, connecting) ? null : _connecting;
            }

            throw new RedisNotConnectedException(exception);
        }
    }

    private Task<ConnectionMultiplexer> Connecting()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, this);

            // On the pool: the client looks up host names before it first yields.
            return _connecting ??= Task.Run(ConnectAsync);
        }
    }

    private async Task<ConnectionMultiplexer> ConnectAsync()
    {
        try
        {
            var multiplexer = await ConnectionMultiplexer.ConnectAsync(ReadConfiguration());
            multiplexer.ConnectionFailed += OnFailed;
            multiplexer.ConnectionRestored += OnRestored;
            lock (_gate)
            {
                _multiplexer = multiplexer;
            }

            Announce(multiplexer.IsConnected);
            return multiplexer;
        }
        catch (Exception exception)
        {
            if (Interlocked.Exchange(ref _state, State.Lost) != State.Lost)
            {
                logger.RedisNotReachable(exception.GetType().Name);
            }

            throw;
        }
    }

    private ConfigurationOptions ReadConfiguration()
    {
        var text = options.Configuration ?? throw new InvalidOperationException("No Redis is configured: set ConnectionStrings:redis.");
        var configuration = ConfigurationOptions.Parse(text);
        configuration.AbortOnConnectFail = false;
        configuration.ConnectRetry = 1;
        configuration.ConnectTimeout = (int)options.ConnectTimeout.TotalMilliseconds;
        configuration.KeepAlive = KeepAliveSeconds;
        configuration.ReconnectRetryPolicy = new LinearRetry(ReconnectPauseMilliseconds);
        configuration.ClientName ??= "affinity";
        return configuration;
    }

    /// <summary>The first word on a connection, unless an event of the client was faster.</summary>
    private void Announce(bool connected)
    {
        var before = Interlocked.CompareExchange(ref _state, connected ? State.Connected : State.Lost, State.Unknown);
        if (connected && (before == State.Unknown || Interlocked.CompareExchange(ref _state, State.Connected, State.Lost) == State.Lost))
        {
            logger.RedisConnected();
        }
        else if (!connected && before == State.Unknown)
        {
            logger.RedisNotReachable("no answer yet");
        }
    }

    private void OnFailed(object? sender, ConnectionFailedEventArgs e)
    {
        // The client keeps a second connection for announcements; it comes and goes with the first.
        if (e.ConnectionType == ConnectionType.Interactive && Interlocked.Exchange(ref _state, State.Lost) == State.Connected)
        {
            logger.RedisConnectionLost(e.EndPoint, e.FailureType.ToString());
        }
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs e)
    {
        if (e.ConnectionType != ConnectionType.Interactive)
        {
            return;
        }

        Interlocked.Exchange(ref _refusalTold, 0);
        switch (Interlocked.Exchange(ref _state, State.Connected))
        {
            case State.Unknown:
                logger.RedisConnected();
                break;
            case State.Lost:
                logger.RedisConnectionRestored(e.EndPoint);
                break;
        }
    }

    /// <summary>What was told last, so that each change is told once.</summary>
    private static class State
    {
        public const int Unknown = 0;
        public const int Connected = 1;
        public const int Lost = 2;
    }
}
