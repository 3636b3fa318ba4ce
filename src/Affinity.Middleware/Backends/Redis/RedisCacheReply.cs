using System.Globalization;
using Affinity.Sessions;
using Affinity.Tickets;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>The answers of the cache's scripts: a word, the server's time, and what is held where the word implies it.</summary>
internal static class RedisCacheReply
{
    private const int Floor = 5;
    private const int Copy = 11;

    /// <exception cref="RedisReplyException">It is not what the scripts answer.</exception>
    public static long ParseTime(ReadOnlySpan<RedisValue> parts) =>
        parts.Length >= 2 && long.TryParse(parts[1].ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? milliseconds
            : throw new RedisReplyException("Redis answered in an unknown form.");

    /// <summary>What cannot be read counts as absent: the database is asked, and what it says is put there instead.</summary>
    public static CachedSession Parse(ReadOnlyMemory<RedisValue> answer)
    {
        var parts = answer.Span;
        try
        {
            return (parts[0].ToString(), parts.Length) switch
            {
                ("ended", _) => CachedSession.Ended,
                ("floor", Floor) => new CachedSession(
                    CachedSessionKind.Floor, new StoredSession(ParseVersion(parts), 0, ReadOnlyMemory<byte>.Empty, TimeSpan.Zero, TimeSpan.Zero), parts[2].ToString(), TimeSpan.MaxValue),
                ("copy", Copy) => ParseCopy(parts),
                _ => CachedSession.Absent,
            };
        }
        catch (Exception exception) when (exception is FormatException or OverflowException)
        {
            return CachedSession.Absent;
        }
    }

    private static CachedSession ParseCopy(ReadOnlySpan<RedisValue> parts)
    {
        var session = new StoredSession(
            ParseVersion(parts),
            int.Parse(parts[5].ToString(), NumberStyles.None, CultureInfo.InvariantCulture),
            (byte[]?)parts[9] ?? [],
            RedisSessionReply.Milliseconds(parts[6]),
            RedisSessionReply.Milliseconds(parts[7])) { Writes = RedisSessionReply.ParseWrites(parts[10].ToString()) };
        var age = long.Parse(parts[8].ToString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        return new CachedSession(CachedSessionKind.Copy, session, parts[2].ToString(), age < 0 ? TimeSpan.MaxValue : TimeSpan.FromMilliseconds(age));
    }

    private static SessionVersion ParseVersion(ReadOnlySpan<RedisValue> parts) => new(
        ulong.Parse(parts[3].ToString(), NumberStyles.None, CultureInfo.InvariantCulture),
        ulong.Parse(parts[4].ToString(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
}
