using System.Globalization;
using Affinity.Sessions;
using Affinity.Tickets;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>The answer of a session script: a word, and the record where the word implies one.</summary>
internal readonly record struct RedisSessionReply(string Kind, StoredSession? Session)
{
    private const int WithRecord = 8;

    /// <exception cref="RedisReplyException">It is not what the scripts answer.</exception>
    public static RedisSessionReply Parse(ReadOnlySpan<RedisValue> parts)
    {
        try
        {
            return parts switch
            {
                [var kind] => new RedisSessionReply(kind.ToString(), Session: null),
                { Length: WithRecord } => new RedisSessionReply(parts[0].ToString(), ParseRecord(parts)),
                _ => throw new RedisReplyException("Redis answered in an unknown form."),
            };
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            throw new RedisReplyException("Redis holds a record in an unknown form.", exception);
        }
    }

    private static StoredSession ParseRecord(ReadOnlySpan<RedisValue> parts)
    {
        var version = new SessionVersion(
            ulong.Parse(parts[1].ToString(), NumberStyles.None, CultureInfo.InvariantCulture),
            ulong.Parse(parts[2].ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        var generation = int.Parse(parts[3].ToString(), NumberStyles.None, CultureInfo.InvariantCulture);
        return new StoredSession(version, generation, (byte[]?)parts[6] ?? [], Milliseconds(parts[4]), Milliseconds(parts[5])) { Writes = ParseWrites(parts[7].ToString()) };
    }

    /// <summary>What cannot be read of the last writes is left out: they tell histories apart, and the record stands without them.</summary>
    public static List<SessionVersion> ParseWrites(string text)
    {
        var writes = new List<SessionVersion>(SessionWrite.RememberedWrites);
        foreach (var part in text.AsSpan().Split(','))
        {
            var write = text.AsSpan(part);
            var dash = write.IndexOf('-');
            if (dash > 0
                && ulong.TryParse(write[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var counter)
                && ulong.TryParse(write[(dash + 1)..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var stamp))
            {
                writes.Add(new SessionVersion(counter, stamp));
            }
        }

        return writes;
    }

    /// <summary>Longer than any write asks for was put there by somebody else, and would not fit into a date.</summary>
    public static TimeSpan Milliseconds(RedisValue value) =>
        long.Parse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture) is var milliseconds and <= RedisCalls.LongestMilliseconds
            ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new OverflowException();
}
