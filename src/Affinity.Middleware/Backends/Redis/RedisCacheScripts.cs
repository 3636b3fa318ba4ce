namespace Affinity.Backends.Redis;

/// <summary>
/// The Lua texts of the cache in front of a database. A copy is a hash with the fields of a session's record (<see cref="RedisSessionScripts"/>: <c>v s g p a h</c>), and more: <c>k</c>, the millisecond of the server's clock at which
/// the database said so, or later, 0 if nobody knows; and <c>f</c>, a random name of this state; and of a copy in doubt <c>n</c>, the millisecond since when. A floor has <c>v s h f</c> only. An ended session is a hash with <c>e</c> alone.
/// </summary>
/// <remarks>
/// <para>Which of two comes later is told by the last writes, as each copy names those that it came of. The counter alone would not do: a database that fails over may lose writes and count the same numbers again. So a fill whose writes
/// contain the held version goes over it; one that is contained in the held copy's writes is late and changes nothing; and where neither contains the other, the database has lost one of them, so both go and the next reader asks it.
/// To go <em>back</em> along one history (the database lost its last writes and nobody wrote since) looks like being late. It is allowed to a fill that names the very state which it saw before the primary was asked: had anybody
/// committed and told the cache since, the name would be another.</para>
/// <para>Limits are counted from the moment before the database was asked, which the caller brings along, not from the arrival of the call: a server that was frozen gets it late. A moment ahead of the server's own clock, as after a
/// fail-over to a slower one, is no moment.</para>
/// <para>What is there is deleted before it is written anew, although a server that is out of memory then takes a little more than it should: an old copy must not stay because the new one has no room.</para>
/// <para>Each answers, behind the call's mark, a word and the server's time in milliseconds.</para>
/// </remarks>
internal static class RedisCacheScripts
{
    private const string Prelude = RedisSessionScripts.Checks + """
        local time = now()

        local function isname(value)
          return value and (value == '' or isstamp(value))
        end

        local function iswrites(value)
          return value == '' or #value <= 1024 and string.find(value, '^[%d%x,-]+,$') ~= nil
        end

        local function isversion(counter, stamp)
          return iscounter(counter) and isstamp(stamp)
        end

        local function say(word)
          return { mark, word, text(time) }
        end

        -- What is held: absent, ended, floor or copy. What cannot be read is held to be absent and may be overwritten.
        local function load()
          local left = redis.call('PTTL', key)
          if left == -2 then return { kind = 'absent', isfree = true } end
          local f = redis.call('HMGET', key, 'e', 'v', 's', 'g', 'a', 'h', 'k', 'f', 'n')
          if left <= 0 then return { kind = 'absent' } end
          if f[1] then return { kind = 'ended', left = left } end
          if not (isversion(f[2], f[3]) and f[6] and #f[6] <= 2048 and f[8]) then return { kind = 'absent' } end
          local held = { kind = 'floor', left = left, v = f[2], s = f[3], h = f[6], f = f[8], k = 0 }
          if isnumber(f[4], 10) and isnumber(f[5], 15) and isnumber(f[7], 15) then
            held.kind, held.g, held.a, held.k, held.n = 'copy', f[4], tonumber(f[5]), tonumber(f[7]), tonumber(f[9] or '')
            if held.k > time then held.k = 0 end
          end
          return held
        end

        local function islower(one, other)
          return #one < #other or #one == #other and one < other
        end

        -- Whether the writes of one name the other, or could not, as it is too long ago.
        local function contains(h, v, otherv, others)
          return string.find(h, ',' .. otherv .. '-' .. others .. ',', 1, true) ~= nil or tonumber(v) - tonumber(otherv) >= 16
        end

        local function put(held, left, ...)
          if not held.isfree then redis.call('DEL', key) end
          if left <= 0 then return say('gone') end
          redis.call('HSET', key, ...)
          redis.call('PEXPIRE', key, text(left))
          return say('put')
        end

        local function drop()
          redis.call('DEL', key)
          return say('dropped')
        end

        local function moment(value)
          local k = tonumber(value)
          return k <= time and k or 0
        end

        -- Who asked before the doubt arose cannot settle it.
        local function settled(held, k)
          return held.n and k <= held.n and 0 or k
        end

        """ + "\n";

    /// <summary>Arguments: counter and stamp of the known version, or 0 and 16 zeros. Answers further, of a copy: its name, counter, stamp, generation, milliseconds to its idle and absolute limit, its age (-1: not known), payload unless it is known, last writes; of a floor: its name, counter, stamp.</summary>
    public const string Read = Prelude + """
        if #ARGV ~= 3 then return refuse() end
        local held = load()
        if held.kind == 'floor' then return { mark, 'floor', text(time), held.f, held.v, held.s } end
        if held.kind ~= 'copy' then return say(held.kind) end
        local payload = ''
        if not (held.v == ARGV[1] and held.s == ARGV[2]) then payload = redis.call('HGET', key, 'p') end
        if not payload or held.a <= time then return say('absent') end
        local age = held.k > 0 and time - held.k or -1
        return { mark, 'copy', text(time), held.f, held.v, held.s, held.g, text(held.left), text(math.max(held.a - time, held.left)), text(age), payload, held.h }
        """;

    /// <summary>Arguments: counter, stamp, generation, payload, milliseconds to the idle and the absolute limit, last writes in the form of <c>h</c>, moment or 0, name of what is replaced or nothing, new name.</summary>
    public const string Fill = Prelude + """
        local h = ARGV[7]
        if not (#ARGV == 11 and isversion(ARGV[1], ARGV[2]) and isnumber(ARGV[3], 10) and isduration(ARGV[5]) and isduration(ARGV[6]) and iswrites(h) and isnumber(ARGV[8], 15) and isname(ARGV[9]) and isstamp(ARGV[10])) then return refuse() end
        local held = load()
        local k = moment(ARGV[8])
        local since = k > 0 and k or time
        if held.kind == 'ended' then return say('ended') end
        if held.kind ~= 'absent' and held.f ~= ARGV[9] then
          if held.v == ARGV[1] and held.s == ARGV[2] then
            k = math.max(settled(held, k), held.k)
          elseif not contains(h, ARGV[1], held.v, held.s) then
            local islate = held.kind == 'floor' and islower(ARGV[1], held.v) or contains(held.h, held.v, ARGV[1], ARGV[2])
            if islate then return say('late') end
            return drop()
          end
        end

        local word = put(held, since + tonumber(ARGV[5]) - time, 'v', ARGV[1], 's', ARGV[2], 'g', ARGV[3], 'p', ARGV[4], 'a', text(since + tonumber(ARGV[6])), 'h', h, 'k', text(k), 'f', ARGV[10])
        if k == 0 and held.n and word[2] == 'put' then redis.call('HSET', key, 'n', text(held.n)) end
        return word
        """;

    /// <summary>
    /// Arguments: expected counter and stamp (0 and 16 zeros: it was created), counter and stamp, generation, payload, idle and absolute milliseconds, the writes between in the form of <c>h</c> without its first comma,
    /// how many writes to remember, moment or 0, milliseconds that a floor is held, new name, 1 if it is known to be written. If it is not, an older copy stays and is in doubt: it answers by itself only when the database was asked again.
    /// </summary>
    public const string Advance = Prelude + """
        if not (#ARGV == 15 and (isversion(ARGV[1], ARGV[2]) or ARGV[1] == '0') and isversion(ARGV[3], ARGV[4]) and isnumber(ARGV[5], 10) and isduration(ARGV[7]) and isduration(ARGV[8]) and iswrites(ARGV[9])
          and isnumber(ARGV[10], 3) and isnumber(ARGV[11], 15) and isduration(ARGV[12]) and isstamp(ARGV[13])) then return refuse() end
        local held = load()
        if held.kind == 'ended' then return say('ended') end
        local tag = ARGV[3] .. '-' .. ARGV[4] .. ','
        local k = moment(ARGV[11])
        local since = k > 0 and k or time
        local idle = since + tonumber(ARGV[7]) - time
        if ARGV[14] == '1' and held.kind == 'copy' and held.v == ARGV[1] and held.s == ARGV[2] then
          local writes = held.h
          local oldest = tonumber(string.match(writes, '%d+'))
          while oldest and tonumber(ARGV[3]) - oldest >= tonumber(ARGV[10]) do
            local comma = string.find(writes, ',', 2, true)
            writes = comma and string.sub(writes, comma) or ','
            oldest = tonumber(string.match(writes, '%d+'))
          end

          return put(held, math.min(idle, held.a - time), 'v', ARGV[3], 's', ARGV[4], 'g', ARGV[5], 'p', ARGV[6], 'a', text(held.a), 'h', writes .. ARGV[9] .. tag, 'k', text(k), 'f', ARGV[13])
        end

        if ARGV[14] == '1' and held.kind == 'absent' and ARGV[1] == '0' then
          local most = since + tonumber(ARGV[8])
          return put(held, math.min(idle, most - time), 'v', ARGV[3], 's', ARGV[4], 'g', ARGV[5], 'p', ARGV[6], 'a', text(most), 'h', ',' .. ARGV[9] .. tag, 'k', text(k), 'f', ARGV[13])
        end

        if held.kind ~= 'absent' then
          if held.v == ARGV[3] and held.s == ARGV[4] or contains(held.h, held.v, ARGV[3], ARGV[4]) then return say('late') end
          if held.kind == 'floor' and islower(ARGV[3], held.v) then return say('late') end
          if held.kind == 'copy' and ARGV[14] ~= '1' then
            if type(redis.pcall('HSET', key, 'k', '0', 'n', text(time))) ~= 'number' then return drop() end
            return say('doubted')
          end
        end

        return put(held, tonumber(ARGV[12]), 'v', ARGV[3], 's', ARGV[4], 'h', ',' .. tag, 'f', ARGV[13])
        """;

    /// <summary>Arguments: counter, stamp, milliseconds to the idle and the absolute limit, moment or 0.</summary>
    public const string Vouch = Prelude + """
        if not (#ARGV == 6 and isversion(ARGV[1], ARGV[2]) and isduration(ARGV[3]) and isduration(ARGV[4]) and isnumber(ARGV[5], 15)) then return refuse() end
        local held = load()
        local k = settled(held, moment(ARGV[5]))
        if held.kind ~= 'copy' or held.v ~= ARGV[1] or held.s ~= ARGV[2] or k == 0 or k < held.k then return say('late') end
        local left = k + tonumber(ARGV[3]) - time
        if left <= 0 then return drop() end
        redis.call('HSET', key, 'k', text(k), 'a', text(k + tonumber(ARGV[4])))
        redis.call('PEXPIRE', key, text(left))
        return say('put')
        """;

    /// <summary>Arguments: idle milliseconds.</summary>
    public const string Touch = Prelude + """
        if not (#ARGV == 2 and isduration(ARGV[1])) then return refuse() end
        local held = load()
        if held.kind ~= 'copy' then return say('late') end
        local left = math.min(tonumber(ARGV[1]), held.a - time)
        if left <= 0 then return drop() end
        redis.call('PEXPIRE', key, text(left))
        return say('put')
        """;

    /// <summary>Arguments: milliseconds to remember the ending, moment or 0. A second, shorter one does not shorten the memory of the first.</summary>
    public const string End = Prelude + """
        if not (#ARGV == 3 and isduration(ARGV[1]) and isnumber(ARGV[2], 15)) then return refuse() end
        local held = load()
        local k = moment(ARGV[2])
        local left = (k > 0 and k or time) + tonumber(ARGV[1]) - time
        if held.kind == 'ended' and held.left >= left then return say('ended') end
        return put(held, left, 'e', '1')
        """;

    /// <summary>No arguments.</summary>
    public const string Drop = Prelude + """
        if #ARGV ~= 1 then return refuse() end
        if load().kind == 'ended' then return say('ended') end
        return drop()
        """;
}
