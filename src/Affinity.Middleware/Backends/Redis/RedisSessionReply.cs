using System.Globalization;
using Affinity.Sessions;
using Affinity.Tickets;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>The answer of a session script: a word, and the record where the word implies one.</summary>
internal readonly record struct RedisSessionReply(string Kind, StoredSession? Session)
{
    private const int WithRecord = 7;

    /// <exception cref="RedisReplyException">It is not what the scripts answer.</exception>
    public static RedisSessionReply Parse(RedisResult result)
    {
        try
        {
            var parts = (RedisValue[]?)result;
            return parts switch
            {
                [var kind] => new RedisSessionReply(kind.ToString(), Session: null),
                { Length: WithRecord } => new RedisSessionReply(parts[0].ToString(), ParseRecord(parts)),
                _ => throw new RedisReplyException("Redis answered in an unknown form."),
            };
        }
        catch (Exception exception) when (exception is InvalidCastException or FormatException or OverflowException)
        {
            throw new RedisReplyException("Redis holds a record in an unknown form.", exception);
        }
    }

    private static StoredSession ParseRecord(RedisValue[] parts)
    {
        var version = new SessionVersion(
            ulong.Parse(parts[1].ToString(), NumberStyles.None, CultureInfo.InvariantCulture),
            ulong.Parse(parts[2].ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
        var generation = int.Parse(parts[3].ToString(), NumberStyles.None, CultureInfo.InvariantCulture);
        return new StoredSession(version, generation, (byte[]?)parts[6] ?? [], Milliseconds(parts[4]), Milliseconds(parts[5]));
    }

    private static TimeSpan Milliseconds(RedisValue value) =>
        TimeSpan.FromMilliseconds(long.Parse(value.ToString(), NumberStyles.None, CultureInfo.InvariantCulture));
}
