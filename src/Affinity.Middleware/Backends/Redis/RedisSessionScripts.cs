namespace Affinity.Backends.Redis;

/// <summary>
/// The Lua texts of the session store. A record is a hash: <c>v</c> counter and <c>s</c> stamp of its version, <c>g</c> generation, <c>p</c> payload,
/// <c>a</c> absolute limit in milliseconds of the server's clock, <c>h</c> the last writes as <c>,counter-stamp,counter-stamp,</c>. A deleted session is a hash with <c>e</c>
/// alone. A later format must write <c>v</c> in another form: this one then answers "unreadable" and changes nothing.
/// </summary>
/// <remarks>
/// Counters stay texts, as Lua numbers are exact only up to 2^53. What is to be stored and the record are checked before the first write, as a script that fails half-way is not
/// rolled back. Numbers are formatted by hand: Lua 5.1 (Redis) and 5.4 (Garnet) print them differently.
/// The last argument of each is the call's mark, with which its answer begins; see <see cref="RedisScript"/>.
/// The server runs one script at a time, so what a script costs bounds the farm: a read that finds nothing new and a write that nobody has come before stand first and do without the rest.
/// </remarks>
internal static class RedisSessionScripts
{
    /// <summary>What the scripts over a session's record and over its copy in a cache have in common.</summary>
    public const string Checks = """
        local key, mark = KEYS[1], ARGV[#ARGV]

        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end

        local function text(number)
          return string.format('%.0f', number)
        end

        local function isnumber(value, most)
          return value and #value <= most and string.find(value, '^%d+$') ~= nil
        end

        local function iscounter(value)
          return value and #value <= 20 and string.find(value, '^[1-9]%d*$') ~= nil
        end

        local function isstamp(value)
          return value and #value == 16 and string.find(value, '^[0-9a-f]+$') ~= nil
        end

        local function refuse()
          return redis.error_reply('BADARGUMENTS nothing was done')
        end

        local function isduration(value)
          return isnumber(value, 15) and tonumber(value) > 0
        end

        """ + "\n";

    private const string Prelude = Checks + """
        -- What lies under the key: absent, ended, live or bad. At its limit a record is gone, though the server still shows it with 0 ms to live.
        -- A version that the caller knows is well-formed if it is the stored one. Last writes that are longer than any release writes are taken for none: going through them would hold up everybody.
        local function load(counter, stamp)
          local left = redis.call('PTTL', key)
          if left == -2 or left == 0 then return { kind = 'absent', lingers = left == 0 } end
          local f = redis.call('HMGET', key, 'e', 'v', 's', 'g', 'a', 'h')
          if left < 0 then return { kind = 'bad' } end
          if f[1] then return { kind = 'ended', left = left } end
          local isknown = counter ~= '0' and f[2] == counter and f[3] == stamp
          if not ((isknown or iscounter(f[2]) and isstamp(f[3])) and isnumber(f[4], 10) and isnumber(f[5], 15)) then return { kind = 'bad' } end
          return { kind = 'live', left = left, isknown = isknown, v = f[2], s = f[3], g = f[4], absolute = tonumber(f[5]), writes = f[6] and #f[6] <= 2048 and f[6] or ',' }
        end

        local function answer(kind, record, payload, writes)
          local rest = math.max(record.absolute - now(), record.left)
          return { mark, kind, record.v, record.s, record.g, text(record.left), text(rest), payload, writes }
        end

        -- Told to all nodes. A failure, as of a user who may not publish, must not undo what was done.
        local function announce(channel, generation)
          redis.pcall('PUBLISH', channel, string.sub(key, -43) .. ' ' .. generation)
        end

        local function full(kind, record)
          local payload = redis.call('HGET', key, 'p')
          if not payload or #payload > 67108864 then return { mark, 'bad' } end
          return answer(kind, record, payload, record.writes)
        end

        """;

    /// <summary>Arguments: counter and stamp of the known version, or 0 and 16 zeros.</summary>
    public const string Read = Prelude + """
        if #ARGV ~= 3 then return refuse() end
        local record = load(ARGV[1], ARGV[2])
        if record.kind ~= 'live' then return { mark, record.kind } end
        if record.isknown then return answer('unchanged', record, '', '') end
        return full('found', record)
        """;

    /// <summary>The same, refused by a replica: it changes nothing and is refused as every write is.</summary>
    public const string ReadLatest = "redis.call('HDEL', KEYS[1], '')\n" + Read;

    /// <summary>Arguments: expected counter and stamp (0 and 16 zeros to create), next counter and stamp, generation, idle and absolute milliseconds, payload, how many writes to remember, the channel to announce a raised generation on, the writes between in the form of <c>h</c> without its first comma.</summary>
    public const string Write = Prelude + """
        local creates = ARGV[1] == '0'
        local idle, most, remembered = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[9])
        if not (#ARGV == 12 and (ARGV[11] == '' or string.find(ARGV[11], '^[%d%x,-]+,$')) and iscounter(ARGV[3]) and isstamp(ARGV[4]) and isnumber(ARGV[5], 10) and idle and idle > 0 and most and most > 0 and remembered) then return refuse() end

        local record = load(ARGV[1], ARGV[2])
        local tag = ARGV[3] .. '-' .. ARGV[4]
        if record.isknown then
          local left = record.absolute - now()
          if left <= 0 then return { mark, 'absent' } end
          local writes = record.writes
          local oldest = tonumber(string.match(writes, '%d+'))
          while oldest and tonumber(ARGV[3]) - oldest >= remembered do
            local comma = string.find(writes, ',', 2, true)
            writes = comma and string.sub(writes, comma) or ','
            oldest = tonumber(string.match(writes, '%d+'))
          end

          redis.call('HSET', key, 'v', ARGV[3], 's', ARGV[4], 'g', ARGV[5], 'p', ARGV[8], 'h', writes .. ARGV[11] .. tag .. ',')
          redis.call('PEXPIRE', key, idle <= left and ARGV[6] or text(left))
          if record.g ~= ARGV[5] then announce(ARGV[10], ARGV[5]) end
          return { mark, 'written' }
        end

        if record.kind == 'absent' and creates then
          -- Not without need: after a first write, and be it this one, a server that is out of memory would no longer refuse the second.
          if record.lingers then redis.call('DEL', key) end
          redis.call('HSET', key, 'v', ARGV[3], 's', ARGV[4], 'g', ARGV[5], 'p', ARGV[8], 'a', text(now() + most), 'h', ',' .. ARGV[11] .. tag .. ',')
          redis.call('PEXPIRE', key, text(math.min(idle, most)))
          return { mark, 'written' }
        end

        -- Only a primary may say no: a replica, which may lag behind, refuses this as it refuses every write. It changes nothing.
        redis.call('HDEL', key, '')
        if record.kind ~= 'live' then return { mark, record.kind } end
        if record.v == ARGV[3] and record.s == ARGV[4] then return { mark, 'written' } end
        if string.find(record.writes, '-' .. ARGV[4] .. ',', 1, true) then return full('superseded', record) end
        return full('conflict', record)
        """;

    /// <summary>Arguments: idle milliseconds.</summary>
    public const string Touch = Prelude + """
        if not (#ARGV == 2 and isduration(ARGV[1])) then return refuse() end
        local record = load()
        if record.kind ~= 'live' then return { mark, record.kind } end
        local idle = math.min(tonumber(ARGV[1]), record.absolute - now())
        if idle <= 0 then return { mark, 'absent' } end
        redis.call('PEXPIRE', key, text(idle))
        return { mark, 'touched' }
        """;

    /// <summary>Arguments: milliseconds to remember the ending, the channel to announce it on. A second, shorter deletion does not shorten the memory of the first.</summary>
    public const string Delete = Prelude + """
        if not (#ARGV == 3 and isduration(ARGV[1])) then return refuse() end
        local record = load()
        if record.kind == 'ended' and record.left >= tonumber(ARGV[1]) then return { mark, 'deleted' } end
        redis.call('DEL', key)
        redis.call('HSET', key, 'e', '1')
        redis.call('PEXPIRE', key, ARGV[1])
        announce(ARGV[2], '2147483647')
        return { mark, 'deleted' }
        """;
}
