using Affinity.Diagnostics;
using Affinity.Nodes;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>The living nodes in one hash of Redis, which is gone when the last of them is.</summary>
internal sealed class RedisNodeDirectory(RedisConnection connection, RedisOptions options, ILogger<RedisNodeDirectory> logger) : INodeDirectory
{
    private const int WordsAhead = 4;
    private const int WordsPerNode = 2;
    private const string Drain = "drain";
    private const string Serve = "serve";

    private static readonly RedisScript Beat = new(RedisNodeScripts.Beat);
    private static readonly RedisScript Leave = new(RedisNodeScripts.Leave);
    private static readonly RedisScript Ask = new(RedisNodeScripts.Ask);
    private int _told;

    public async ValueTask<NodeBeat> BeatAsync(NodeRecord self, TimeSpan deadAfter, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(self);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(deadAfter, TimeSpan.Zero);
        var words = await CallAsync(
            Beat,
            [self.Id.Value, self.Incarnation.ToString("N"), RedisCalls.ToMilliseconds(deadAfter), RedisNodeRecord.Write(self)],
            answer => Array.ConvertAll(answer.ToArray(), word => word.ToString()),
            cancellationToken);
        if (words.Length < WordsAhead || (words.Length - WordsAhead) % WordsPerNode != 0)
        {
            throw new NodeDirectoryException("Redis answered in an unknown form.");
        }

        var live = new List<NodeRecord>(words.Length / WordsPerNode);
        for (var i = WordsAhead; i < words.Length; i += WordsPerNode)
        {
            if (RedisNodeRecord.Read(words[i], words[i + 1]) is { } node)
            {
                live.Add(node);
            }
            else if (Interlocked.Exchange(ref _told, 1) == 0)
            {
                logger.NodeRecordUnreadable(Shown(words[i]));
            }
        }

        connection.History.Note(words[3].Split(' ')[0]);
        live.Sort(static (one, other) => string.CompareOrdinal(one.Id.Value, other.Id.Value));
        return new NodeBeat(words[0] is "1", live)
        {
            // Another word is a wish of a later version, which this one cannot fulfil.
            Renewed = words[2] is "1",
            // The run as well: a server that was restarted with older data may keep its replication id.
            History = string.IsNullOrWhiteSpace(words[3]) ? null : words[3],
            Wish = words[1] switch { Drain => NodeWish.Drain, Serve => NodeWish.Serve, _ => null },
        };
    }

    public async ValueTask LeaveAsync(NodeId id, Guid incarnation, CancellationToken cancellationToken) =>
        await CallAsync(Leave, [id.Value, incarnation.ToString("N")], static _ => true, cancellationToken);

    public async ValueTask<bool> AskAsync(NodeId id, NodeWish wish, CancellationToken cancellationToken)
    {
        var word = wish switch
        {
            NodeWish.Drain => Drain,
            NodeWish.Serve => Serve,
            _ => throw new ArgumentOutOfRangeException(nameof(wish), wish, "There is no such wish."),
        };
        return await CallAsync(Ask, [id.Value, word], static answer => answer.Span is [var word] && word == "1", cancellationToken);
    }

    /// <summary>For the log: a name that no node can have is anybody's text.</summary>
    private static string Shown(string name) => string.Concat(name.Take(NodeId.MaxLength).Select(letter => char.IsAscii(letter) && !char.IsControl(letter) ? letter : '?'));

    private async Task<T> CallAsync<T>(
        RedisScript script, RedisValue[] arguments, Func<ReadOnlyMemory<RedisValue>, T> read, CancellationToken cancellationToken)
    {
        try
        {
            return read(await script.EvaluateAsync(connection, options.KeyPrefix + "nodes", arguments, cancellationToken));
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new NodeDirectoryException(connection.Explain(exception), exception);
        }
    }
}
