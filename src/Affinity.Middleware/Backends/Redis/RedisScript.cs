using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>One Lua text over one key. A call is one EVALSHA; a server that does not know the script (yet, or after SCRIPT FLUSH) is given it and asked again.</summary>
internal sealed class RedisScript
{
    private readonly string _text;
    private readonly byte[] _hash;

    public RedisScript(string text)
    {
        // One text on every platform and checkout, so that all nodes share one script in the server.
        _text = text.ReplaceLineEndings("\n");
#pragma warning disable CA5350 // Redis names scripts by SHA-1; nothing is protected by it.
        _hash = SHA1.HashData(Encoding.UTF8.GetBytes(_text));
#pragma warning restore CA5350
    }

    public async Task<RedisResult> EvaluateAsync(
        RedisConnection connection, string key, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var database = await connection.GetDatabaseAsync(cancellationToken);
        RedisKey[] keys = [key];
        try
        {
            return await database.ScriptEvaluateAsync(_hash, keys, arguments).UntilAsync(cancellationToken);
        }
        catch (RedisServerException exception) when (RedisFaults.IsUnknownScript(exception))
        {
            // Given the text, the client sends SCRIPT LOAD and the call together.
            return await database.ScriptEvaluateAsync(_text, keys, arguments).UntilAsync(cancellationToken);
        }
    }
}
