using Affinity.Tickets;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>Key rings as lists of Redis, without expiry. The ring of Data Protection lies where the framework's own package has it.</summary>
internal sealed class RedisKeyVault(RedisConnection connection, RedisOptions options) : IKeyVault
{
    /// <summary>The ring that maps to <see cref="RedisOptions.DataProtectionKey"/>.</summary>
    public const string DataProtectionRing = "DataProtection";

    private static readonly RedisScript Append = new(
        """
        if not (#ARGV == 3 and #ARGV[1] > 0 and string.find(ARGV[2], '^%d+$') and #ARGV[2] <= 10) then
          return redis.error_reply('BADARGUMENTS nothing was done')
        end
        if redis.call('LLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return { ARGV[3], '0' } end
        redis.call('RPUSH', KEYS[1], ARGV[1])
        return { ARGV[3], '1' }
        """);

    public async ValueTask<IReadOnlyList<string>> ReadAsync(string ring, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidRing(ring);
        try
        {
            var database = await connection.GetDatabaseAsync(cancellationToken);
            var elements = await database.ListRangeAsync(KeyOf(ring)).UntilAsync(cancellationToken);
            return Array.ConvertAll(elements, element => element.ToString());
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new KeyVaultException(connection.Explain(exception), exception);
        }
    }

    public async ValueTask<bool> AppendAsync(string ring, string element, int seen, CancellationToken cancellationToken)
    {
        KeyVaultArguments.ThrowIfInvalidAppend(ring, element, seen);
        try
        {
            var answer = await Append.EvaluateAsync(connection, KeyOf(ring), [element, seen], cancellationToken);
            return answer.Span is [var word] && word == "1";
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            throw new KeyVaultException(connection.Explain(exception), exception);
        }
    }

    private string KeyOf(string ring) => string.Equals(ring, DataProtectionRing, StringComparison.Ordinal)
        ? options.DataProtectionKey
        : string.Concat(options.KeyPrefix, "keys:", ring);
}
