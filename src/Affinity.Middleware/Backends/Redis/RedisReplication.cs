using System.Globalization;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// How far a primary has written and how far its replicas have come, in bytes of its replication stream. Asked for by <c>INFO</c> and not by <c>WAIT</c>, which keeps everybody waiting who shares the connection, and that is all requests.
/// </summary>
/// <param name="History">The primary's <c>master_replid</c>: offsets of another one say nothing. Empty: it is not told, or the server is part of a cluster, of which one primary's word is not enough.</param>
/// <param name="Written">How far it has written.</param>
/// <param name="Replicated">How far the furthest replica that is connected has come, as it has told by itself, once a second; -1: there is none.</param>
internal readonly record struct RedisReplication(string History, long Written, long Replicated)
{
    /// <summary>Answers, behind the call's mark, the replication id, the offset and that of the furthest replica.</summary>
    public const string Ask = """
        local unused = KEYS[1]
        local info = redis.pcall('INFO', 'replication')
        local cluster = redis.pcall('INFO', 'cluster')
        if type(info) ~= 'string' or type(cluster) == 'string' and string.find(cluster, 'cluster_enabled:1', 1, true) then return { ARGV[1], '', '0', '-1' } end
        local furthest = -1
        for offset in string.gmatch(info, 'slave%d+:[^\r\n]*state=online,offset=(%d+)') do furthest = math.max(furthest, tonumber(offset)) end
        return { ARGV[1], string.match(info, 'master_replid:(%x+)') or '', string.match(info, 'master_repl_offset:(%d+)') or '0', string.format('%.0f', furthest) }
        """;

    /// <summary>The pause between two questions.</summary>
    public static TimeSpan Interval { get; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Reads the answer; one that is not understood has no replicas.</summary>
    public static RedisReplication Parse(ReadOnlySpan<RedisValue> answer) =>
        answer is [var history, var written, var replicated]
        && long.TryParse(written.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
        && long.TryParse(replicated.ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var furthest)
            ? new(history.ToString(), offset, furthest)
            : new("", 0, -1);

    /// <summary>Whether it can be compared with an earlier answer: of the same primary, with a replica.</summary>
    public bool FollowsFrom(RedisReplication earlier) => History.Length > 0 && string.Equals(History, earlier.History, StringComparison.Ordinal) && Replicated >= 0;
}
