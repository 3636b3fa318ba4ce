using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using Affinity.TestKit;

namespace Affinity.FaultTests.Former;

/// <summary>The session records of format 1 in Redis, by scripts of its own.</summary>
internal sealed class FormerStore(RedisServer redis, string prefix)
{
    private const string Load = """
        local r = redis.call('HMGET', KEYS[1], 'v', 's', 'g', 'p', 'h')
        if not r[1] then return { 'absent' } end
        r[4] = r[4]:gsub('.', function(c) return string.format('%02x', string.byte(c)) end)
        return r
        """;

    private const string Save = """
        if redis.call('HGET', KEYS[1], 'v') ~= ARGV[1] or redis.call('HGET', KEYS[1], 's') ~= ARGV[2] then return 'conflict' end
        local payload = ARGV[5]:gsub('..', function(c) return string.char(tonumber(c, 16)) end)
        redis.call('HSET', KEYS[1], 'v', ARGV[3], 's', ARGV[4], 'p', payload, 'h', redis.call('HGET', KEYS[1], 'h') .. ARGV[3] .. '-' .. ARGV[4] .. ',')
        redis.call('PEXPIRE', KEYS[1], 1200000)
        return 'written'
        """;

    /// <summary>The content and the ticket with the version that is stored; null when there is none, or none that the former release can read.</summary>
    public async Task<(FormerContent Content, FormerTicket Ticket)?> LoadAsync(FormerTicket ticket)
    {
        var fields = (await redis.CommandAsync("EVAL", Load, "1", Key(ticket))).Items!;
        if (fields.Count != 5 || FormerFormat.Decode(Convert.FromHexString(fields[3].Text!)) is not { } content || fields[2].Text != ticket.Generation.ToString(CultureInfo.InvariantCulture))
        {
            return null;
        }

        return (content, ticket with { Counter = ulong.Parse(fields[0].Text!, CultureInfo.InvariantCulture), Stamp = ulong.Parse(fields[1].Text!, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) });
    }

    /// <summary>The ticket of what was written; null when somebody else was first.</summary>
    public async Task<FormerTicket?> SaveAsync(FormerTicket stored, FormerContent content)
    {
        var now = DateTimeOffset.UtcNow;
        var next = stored with
        {
            Counter = stored.Counter + 1,
            Stamp = (ulong)Random.Shared.NextInt64(1, long.MaxValue),
            Issued = now.ToUnixTimeSeconds(),
            IdleUntil = now.AddMinutes(20).ToUnixTimeSeconds(),
        };
        var answer = await redis.CommandAsync(
            "EVAL", Save, "1", Key(stored), stored.Counter.ToString(CultureInfo.InvariantCulture), stored.Stamp.ToString("x16", CultureInfo.InvariantCulture),
            next.Counter.ToString(CultureInfo.InvariantCulture), next.Stamp.ToString("x16", CultureInfo.InvariantCulture), Convert.ToHexStringLower(FormerFormat.Encode(content)));
        return answer.Text == "written" ? next : null;
    }

    private string Key(FormerTicket ticket) => prefix + "s:" + Base64Url.EncodeToString(SHA256.HashData(ticket.Session));
}
