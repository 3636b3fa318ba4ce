using Affinity.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>The one data source of a node, and how statements are sent over it: each is one trip and its own transaction. The tables are looked at, and made where that is wished, before the first.</summary>
internal sealed class PostgresDatabase : IAsyncDisposable
{
    private readonly ILogger<PostgresDatabase> _logger;
    private readonly Lazy<NpgsqlDataSource> _source;
    private readonly Lock _gate = new();
    private Task? _making;
    private volatile bool _isReady;
    private int _state;

    public PostgresDatabase(PostgresOptions options, ILogger<PostgresDatabase> logger)
    {
        (Options, _logger) = (options, logger);
        Schema = options.SchemaName ?? throw new InvalidOperationException("The schema's name is not filled in.");
        _source = new Lazy<NpgsqlDataSource>(() => PostgresConnections.Build(ConnectionString));
    }

    public PostgresOptions Options { get; }

    /// <summary>The schema that holds the tables; needs no quotes.</summary>
    public string Schema { get; }

    private string ConnectionString => Options.ConnectionString ?? throw new InvalidOperationException("No PostgreSQL is configured: set ConnectionStrings:affinity-db.");

    /// <summary>Sends one statement and waits for its answer until the token ends the wait; what was sent may take effect all the same.</summary>
    /// <exception cref="PostgresNotReadyException">It was not sent.</exception>
    public Task<TResult> CallAsync<TCall, TResult>(
        string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var answer = SendAsync(sql, call, bind, read, cancellationToken);
        return answer.IsCompletedSuccessfully ? answer : answer.UntilAsync(cancellationToken);
    }

    /// <summary>The data sources of the replicas, made anew; none without them.</summary>
    public IReadOnlyList<NpgsqlDataSource> BuildReplicas() => Options.Replicas is { Length: > 0 } replicas ? PostgresConnections.BuildReplicas(ConnectionString, replicas) : [];

    /// <summary>The same over a connection of somebody's, in a statement that heeds no token.</summary>
    public static async Task<TResult> SendAsync<TCall, TResult>(
        NpgsqlConnection connection, string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read)
    {
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        bind(command.Parameters, call);
        await using var reader = await command.ExecuteReaderAsync(CancellationToken.None);
        var result = await read(reader);

        // The server says only at the end whether the statement was committed.
        await reader.NextResultAsync(CancellationToken.None);
        return result;
    }

    /// <summary>A connection of its own for whoever keeps it: of the pool, with the tables there.</summary>
    /// <exception cref="PostgresNotReadyException">There is none.</exception>
    public async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (!_isReady)
        {
            await Making().WaitAsync(cancellationToken);
        }

        return await ConnectAsync(cancellationToken);
    }

    /// <summary>The same beside the pool, for one that lasts for the life of the process.</summary>
    public async Task<NpgsqlConnection> OpenApartAsync(CancellationToken cancellationToken)
    {
        await using var source = PostgresConnections.BuildApart(ConnectionString);
        return await source.OpenConnectionAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_source.IsValueCreated)
        {
            await _source.Value.DisposeAsync();
        }
    }

    private async Task<TResult> SendAsync<TCall, TResult>(
        string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        try
        {
            return await SendAsync(connection, sql, call, bind, read);
        }
        catch (Exception exception)
        {
            Heed(exception);
            throw;
        }
    }

    /// <summary>What a refusal tells of later calls.</summary>
    private void Heed(Exception exception)
    {
        if (PostgresFaults.IsMissingSchema(exception))
        {
            _isReady = false;
        }

        if (PostgresFaults.IsReadOnly(exception))
        {
            // The server that the pool leads to is no primary any more.
            _source.Value.Clear();
        }
    }

    private async Task<NpgsqlConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            var connection = await _source.Value.OpenConnectionAsync(cancellationToken);
            if (_isReady && _state != State.Connected && Interlocked.Exchange(ref _state, State.Connected) != State.Connected)
            {
                _logger.PostgresConnected(Schema);
            }

            return connection;
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var reason = PostgresFaults.Describe(exception);
            if (Interlocked.Exchange(ref _state, State.Lost) == State.Lost)
            {
                // Told already.
            }
            else if (PostgresFaults.IsRefusedLogin(exception))
            {
                _logger.PostgresLoginRefused();
            }
            else
            {
                _logger.PostgresNotReachable(reason);
            }

            throw new PostgresNotReadyException(PostgresFaults.IsRefusedLogin(exception) ? "PostgreSQL refuses the user, password or database of the connection string." : reason, exception);
        }
    }

    /// <summary>One look at the tables for all who wait for it; a failed one is tried again by the next call.</summary>
    private Task Making()
    {
        lock (_gate)
        {
            if (_making is null || _making.IsCompleted)
            {
                _making = MakeAsync();
            }

            return _making;
        }
    }

    private async Task MakeAsync()
    {
        await Task.Yield();
        await using var connection = await ConnectAsync(CancellationToken.None);
        try
        {
            var (before, now) = await PostgresSchemaGate.PassAsync(connection, Options, Schema);
            if (before != now)
            {
                _logger.PostgresSchemaMade(Schema, before, now);
            }

            _isReady = true;
        }
        catch (PostgresNotReadyException exception)
        {
            if (Interlocked.Exchange(ref _state, State.Unfit) != State.Unfit)
            {
                _logger.PostgresSchemaUnfit(exception.Message);
            }

            throw;
        }
        catch (Exception exception)
        {
            Heed(exception);
            throw new PostgresNotReadyException(PostgresFaults.Describe(exception), exception);
        }
    }

    /// <summary>What was told last, so that each change is told once.</summary>
    private static class State
    {
        public const int Connected = 1;
        public const int Lost = 2;
        public const int Unfit = 3;
    }
}
