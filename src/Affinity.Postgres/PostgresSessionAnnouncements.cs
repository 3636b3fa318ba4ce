using System.Globalization;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>
/// Hears which sessions were ended or renewed, over a connection of its own that listens. The statements of the store notify themselves, as <c>key generation</c>, so an ending and its announcement are one transaction; <c>key ?</c> asks who
/// remembers a session. What was told while the connection was lost is not heard. Who has heard nothing for a while says a word that means nothing, over the same connection, and makes it anew when the word does not come back: so a
/// server that is silent, and a pooler that hands the connection on, are found. All nodes hear that word, so a quiet farm says it about once per <see cref="Silence"/>.
/// </summary>
internal sealed class PostgresSessionAnnouncements(PostgresDatabase database, TimeProvider time, ILogger<PostgresSessionAnnouncements> logger) : ISessionAnnouncements, IDisposable
{
    // In the place of a generation; a version that does not know it passes it over.
    private const string Wanted = "?";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly CancellationTokenSource _end = new();
    private readonly string _channel = PostgresSchemaScript.ChannelOf(database.Schema);
    private readonly string _listener = "hears " + database.Schema;
    private readonly Lock _gate = new();
    private Action<SessionKey, int>? _stale;
    private Action<SessionKey>? _wanted;
    private bool _listens;
    private int _own;
    private long _heard;

    public void Listen(Action<SessionKey, int> stale) => Begin(() => _stale += stale);

    public void ListenForWanted(Action<SessionKey> wanted) => Begin(() => _wanted += wanted);

    /// <inheritdoc/>
    /// <remarks>Who listens wears a name that all sessions of the server can read; the number is that of those who did when the question was committed.</remarks>
    public async ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            return await database.CallAsync(
                "SELECT pg_notify($1, $2), (SELECT count(*)::integer FROM pg_stat_activity WHERE datname = current_database() AND application_name = $3 AND pid <> $4)",
                (Channel: _channel, Word: $"{key.Value} {Wanted}", Listener: _listener, Own: Volatile.Read(ref _own)),
                static (parameters, call) =>
                {
                    parameters.AddText(call.Channel);
                    parameters.AddText(call.Word);
                    parameters.AddText(call.Listener);
                    parameters.AddInteger(call.Own);
                },
                static async reader => await reader.ReadAsync(CancellationToken.None) ? reader.GetInt32(1) : (int?)null,
                cancellationToken);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    public void Dispose()
    {
        // The container holds it under two names and ends it twice.
        if (!_end.IsCancellationRequested)
        {
            _end.Cancel();
            _end.Dispose();
        }
    }

    private void Begin(Action add)
    {
        lock (_gate)
        {
            add();
            if (!_listens)
            {
                _listens = true;
                _ = Task.Run(ListenAsync);
            }
        }
    }

    private async Task ListenAsync()
    {
        var token = _end.Token;
        var isTold = false;
        while (!token.IsCancellationRequested)
        {
            try
            {
                await using var connection = await database.OpenApartAsync(token);
                connection.Notification += Hear;
                await using (var listen = new NpgsqlCommand($"LISTEN {_channel}", connection))
                {
                    await listen.ExecuteNonQueryAsync(CancellationToken.None);
                }

                await using (var name = new NpgsqlCommand($"SET application_name = '{_listener}'", connection))
                {
                    await name.ExecuteNonQueryAsync(CancellationToken.None);
                }

                Volatile.Write(ref _own, connection.ProcessID);
                isTold = false;
                await UntilDeafAsync(connection, token);
            }
            catch (Exception e) when (!token.IsCancellationRequested)
            {
                // Until this works, memory is bounded by its age.
                if (!isTold)
                {
                    logger.PostgresAnnouncementsNotHeard(PostgresFaults.Describe(e));
                    isTold = true;
                }
            }
            catch (Exception) when (token.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Pause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Comes back when what is said on the connection does not come back; throws when it is lost.</summary>
    private async Task UntilDeafAsync(NpgsqlConnection connection, CancellationToken token)
    {
        while (true)
        {
            if (await connection.WaitAsync(Silence, token))
            {
                continue;
            }

            var before = Volatile.Read(ref _heard);
            await using (var say = new NpgsqlCommand("SELECT pg_notify($1, $2)", connection))
            {
                say.Parameters.AddText(_channel);
                say.Parameters.AddText(Wanted);
                await say.ExecuteNonQueryAsync(CancellationToken.None);
            }

            // It may have come with the answer to the statement already.
            if (Volatile.Read(ref _heard) == before && !await connection.WaitAsync(Patience, token))
            {
                logger.PostgresAnnouncementsNotHeard("what this node says on the channel does not come back.");
                return;
            }
        }
    }

    private void Hear(object sender, NpgsqlNotificationEventArgs notification)
    {
        Interlocked.Increment(ref _heard);

        // Anybody who may connect can send anything: what is not an announcement is passed over.
        var words = notification.Payload.Split(' ', 3);
        if (words.Length != 2 || !SessionKey.TryParse(words[0], out var key))
        {
            return;
        }

        if (string.Equals(words[1], Wanted, StringComparison.Ordinal))
        {
            _wanted?.Invoke(key);
        }
        else if (int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
        {
            _stale?.Invoke(key, generation);
        }
    }
}
