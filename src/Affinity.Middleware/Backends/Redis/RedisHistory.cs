using System.Globalization;
using System.Text.RegularExpressions;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// Which history of data this node has met in Redis: its <c>master_replid</c>, which a fail-over, and a restart without a saved one, makes anew. So an operator can prove why something is missing.
/// In a cluster it is that of the server which holds the node directory. Servers that do not tell it have none.
/// </summary>
internal sealed partial class RedisHistory
{
    /// <summary>Answers, behind the call's mark, the replication id, the process and the evicted keys of the server; each empty where it is not told.</summary>
    public const string Testify = """
        local function told(section, pattern)
          local info = redis.pcall('INFO', section)
          return type(info) == 'string' and string.match(info, pattern) or ''
        end

        local unused = KEYS[1]
        return { ARGV[1], told('replication', 'master_replid:(%x+)'), told('server', 'run_id:(%x+)'), told('stats', 'evicted_keys:(%d+)'), told('server', 'uptime_in_seconds:(%d+)') }
        """;

    private const int ShortLength = 12;
    private readonly Lock _gate = new();
    private string? _now;
    private string? _before;

    /// <summary>Whoever has heard an id says so; null and what is none are passed over.</summary>
    public void Note(string? id)
    {
        if (id is null || !Id.IsMatch(id))
        {
            return;
        }

        lock (_gate)
        {
            if (_now is not null && !string.Equals(_now, id, StringComparison.Ordinal))
            {
                _before = _now;
            }

            _now = id;
        }
    }

    /// <summary>What <see cref="Testify"/> answered, in words; null when the server tells nothing.</summary>
    public string? Describe(ReadOnlySpan<RedisValue> answer)
    {
        if (answer is not [var id, var run, var evicted, var uptime])
        {
            return null;
        }

        Note(id.ToString());
        List<string> words = [];
        lock (_gate)
        {
            if (_now is not null)
            {
                words.Add(_before is null ? $"master_replid {Short(_now)} as at the start of this node" : $"master_replid {Short(_now)}, before {Short(_before)}");
            }
        }

        if (Id.IsMatch(run.ToString()))
        {
            words.Add($"run_id {Short(run.ToString())}");
        }

        if (long.TryParse(uptime.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"up for {seconds} s"));
        }

        if (long.TryParse(evicted.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var keys))
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"{keys} keys evicted in that time"));
        }

        return words.Count == 0 ? null : string.Join(", ", words);
    }

    private static string Short(string id) => id[..Math.Min(id.Length, ShortLength)];

    [GeneratedRegex("^[0-9a-f]{8,64}$", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Id { get; }
}
