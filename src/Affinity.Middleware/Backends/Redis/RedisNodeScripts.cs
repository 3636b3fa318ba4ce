namespace Affinity.Backends.Redis;

/// <summary>
/// The Lua texts of the node directory: one hash, a field per node id with <c>until incarnation record</c>, where until is in milliseconds of the server's clock, of at most 15 digits.
/// The first two words never change their form, as every version must be able to tell who lives; the record is opaque here. A field of a node's name behind an exclamation mark, which no name can have,
/// is the last wish for that incarnation of it, in the same form. The last argument of each script is the call's mark, with which its answer begins; see <see cref="RedisScript"/>.
/// </summary>
internal static class RedisNodeScripts
{
    /// <summary>
    /// Arguments: id, incarnation, milliseconds to live, record. Answers whether it was accepted, the wish for the caller or nothing, whether the caller's former record was still there, the server's replication id and run id or nothing, then id and field of everybody who lives. The fields are taken apart by the
    /// caller, which with 200 nodes saves the server a quarter of its work. What is longer than a node's record may ever be, or would live for more than 30 days, no node has told: it is swept away with the dead.
    /// </summary>
    public const string Beat = """
        if not (#ARGV == 5 and #ARGV[1] > 0 and string.find(ARGV[2], '^[0-9a-f]+$') and string.find(ARGV[3], '^[1-9]%d*$') and #ARGV[3] <= 15) then
          return redis.error_reply('BADARGUMENTS nothing was done')
        end

        local key, id, incarnation, deadafter, record = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local last = now + deadafter
        local live, dead, accepted, wish, renewed = {ARGV[5], '1', '', '0', ''}, {}, '1', '', '0'
        local all = redis.call('HGETALL', key)
        for i = 1, #all, 2 do
          local name, told = all[i], all[i + 1]
          local till = string.match(told, '^%d+')
          if not till or #till > 15 or tonumber(till) <= now or tonumber(till) > now + 2592000000 or #told > 8192 then
            dead[#dead + 1] = name
          elseif string.sub(name, 1, 1) == '!' then
            if name == '!' .. id then
              local holder, asked = string.match(told, '^%d+ ([0-9a-f]+) (.*)$')
              if holder == incarnation then wish = asked end
            end
          elseif name ~= id or string.match(told, '^%d+ ([0-9a-f]+) ') ~= incarnation then
            if name == id then accepted = '0' end
            last = math.max(last, tonumber(till))
            live[#live + 1] = name
            live[#live + 1] = told
          else
            renewed = '1'
          end
        end

        if accepted == '1' then
          for _, name in ipairs(dead) do redis.call('HDEL', key, name) end
          local mine = string.format('%.0f', now + deadafter) .. ' ' .. incarnation .. ' '
          record = mine .. record
          redis.call('HSET', key, id, record)
          if wish ~= '' then redis.call('HSET', key, '!' .. id, mine .. wish) end
          redis.call('PEXPIRE', key, string.format('%.0f', last - now))
          live[#live + 1] = id
          live[#live + 1] = record
        end
        local function told(section, pattern)
          local info = redis.pcall('INFO', section)
          return type(info) == 'string' and string.match(info, pattern) or ''
        end
        live[2], live[3], live[4], live[5] = accepted, wish, renewed, told('replication', 'master_replid:(%x+)') .. ' ' .. told('server', 'run_id:(%x+)')
        return live
        """;

    /// <summary>Arguments: id, incarnation.</summary>
    public const string Leave = """
        local held = redis.call('HGET', KEYS[1], ARGV[1])
        if held and string.match(held, '^%d+ ([0-9a-f]+) ') == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1], '!' .. ARGV[1]) end
        return { ARGV[3], '1' }
        """;

    /// <summary>Arguments: id, wish. Answers 1, or 0 when no such node lives.</summary>
    public const string Ask = """
        if not (#ARGV == 3 and #ARGV[1] > 0 and string.find(ARGV[2], '^[a-z]+$')) then
          return redis.error_reply('BADARGUMENTS nothing was done')
        end

        local time = redis.call('TIME')
        local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        local till, holder = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+) ([0-9a-f]+) ')
        if not till or #till > 15 or tonumber(till) <= now then return { ARGV[3], '0' } end
        redis.call('HSET', KEYS[1], '!' .. ARGV[1], till .. ' ' .. holder .. ' ' .. ARGV[2])
        return { ARGV[3], '1' }
        """;
}
