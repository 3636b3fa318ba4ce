using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Affinity.Backends.Postgres;

/// <summary>The living nodes as rows of one table; a beat is one statement.</summary>
internal sealed class PostgresNodeDirectory(PostgresDatabase database, ILogger<PostgresNodeDirectory> logger) : INodeDirectory
{
    private const string Active = "active";
    private const string Draining = "draining";
    private const string Starting = "starting";
    private const string Drain = "drain";
    private const string Serve = "serve";

    private readonly string _beat = $"""
        SELECT o_accepted, o_renewed, o_wish, o_history, o_id, o_incarnation, o_state, o_in_flight, o_bound, o_address, o_track, o_stopping, o_format_level, o_settings
        FROM {database.Schema}.beat($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        """;

    private readonly string _leave = $"DELETE FROM {database.Schema}.nodes WHERE id = $1 AND incarnation = $2";
    private readonly string _ask = $"UPDATE {database.Schema}.nodes SET wish = $2 WHERE id = $1 AND expires > clock_timestamp()";
    private int _told;

    public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadAfter, TimeSpan.Zero);
        return await CallAsync(_beat, (Id: self.Id.Value, Self: self, DeadAfter: PostgresCalls.ToMilliseconds(deadAfter)), BindBeat, ReadBeatAsync, cancellationToken);
    }

    public async ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) =>
        await CallAsync(
            _leave,
            (Id: id.Value, Incarnation: incarnation),
            static (parameters, call) =>
            {
                parameters.AddText(call.Id);
                parameters.AddUuid(call.Incarnation);
            },
            static _ => ValueTask.FromResult(true),
            cancellationToken);

    public async ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken)
    {
        var word = wish switch
        {
            NodeWish.Drain => Drain,
            NodeWish.Serve => Serve,
            _ => throw new ArgumentOutOfRangeException(nameof(wish), wish, "There is no such wish."),
        };
        return await CallAsync(
            _ask,
            (Id: id.Value, Wish: word),
            static (parameters, call) =>
            {
                parameters.AddText(call.Id);
                parameters.AddText(call.Wish);
            },
            static reader => ValueTask.FromResult(reader.RecordsAffected > 0),
            cancellationToken);
    }

    private static void BindBeat(NpgsqlParameterCollection parameters, (string Id, NodeRecord Self, long DeadAfter) call)
    {
        var self = call.Self;
        parameters.AddText(call.Id);
        parameters.AddUuid(self.Incarnation);
        parameters.AddBigint(call.DeadAfter);
        parameters.AddText(self.State switch { NodeState.Draining => Draining, NodeState.Starting => Starting, _ => Active });
        parameters.AddInteger(self.InFlight);
        parameters.AddInteger(self.Bound);
        parameters.AddTextOrNull(self.Address);
        parameters.AddTextOrNull(self.Track);
        parameters.AddBoolean(self.Stopping);
        parameters.AddInteger(self.FormatLevel);
        parameters.AddTextOrNull(self.Settings);
    }

    private async ValueTask<NodeBeat> ReadBeatAsync(NpgsqlDataReader reader)
    {
        const int Accepted = 0;
        const int Renewed = 1;
        const int Wish = 2;
        const int History = 3;
        List<NodeRecord> live = [];
        var beat = new NodeBeat(Accepted: false, live);
        while (await reader.ReadAsync(CancellationToken.None))
        {
            beat = beat with
            {
                Accepted = reader.GetBoolean(Accepted),
                Renewed = reader.GetBoolean(Renewed),
                // Another word is a wish of a later version, which this one cannot fulfil.
                Wish = reader.IsDBNull(Wish) ? null : reader.GetString(Wish) switch { Drain => NodeWish.Drain, Serve => NodeWish.Serve, _ => null },
                History = reader.GetString(History),
            };
            if (ReadNode(reader) is { } node)
            {
                live.Add(node);
            }
            else if (Interlocked.Exchange(ref _told, 1) == 0)
            {
                logger.PostgresNodeRecordUnreadable();
            }
        }

        return beat;
    }

    /// <summary>Null for a row that no node of this version writes.</summary>
    private static NodeRecord? ReadNode(NpgsqlDataReader reader)
    {
        const int Id = 4;
        const int Incarnation = 5;
        const int State = 6;
        const int InFlight = 7;
        const int Bound = 8;
        const int Address = 9;
        const int Track = 10;
        const int Stopping = 11;
        const int FormatLevel = 12;
        const int Settings = 13;
        NodeState? state = reader.GetString(State) switch { Active => NodeState.Active, Draining => NodeState.Draining, Starting => NodeState.Starting, _ => null };
        return state is { } told && NodeId.TryParse(reader.GetString(Id), out var id)
            ? new NodeRecord(id, reader.GetGuid(Incarnation), told, reader.GetInt32(InFlight))
            {
                Bound = reader.GetInt32(Bound),
                Address = reader.IsDBNull(Address) ? null : reader.GetString(Address),
                Track = reader.IsDBNull(Track) ? null : reader.GetString(Track),
                Stopping = reader.GetBoolean(Stopping),
                FormatLevel = reader.GetInt32(FormatLevel),
                Settings = reader.IsDBNull(Settings) ? null : reader.GetString(Settings),
            }
            : null;
    }

    private async Task<TResult> CallAsync<TCall, TResult>(
        string sql, TCall call, Action<NpgsqlParameterCollection, TCall> bind, Func<NpgsqlDataReader, ValueTask<TResult>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await database.CallAsync(sql, call, bind, read, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new NodeDirectoryException(PostgresFaults.Describe(exception), exception);
        }
    }
}
