using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// One Lua text over one key. A call is one EVALSHA; a server that does not know the script (yet, or after SCRIPT FLUSH) is given it and asked again. In a cluster the client follows one redirection per call, and
/// learns from it: a node that missed one move of a slot and meets the next needs two, so it asks again at once.
/// </summary>
internal sealed class RedisScript
{
    private const int MostRedirections = 2;

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
        for (var (known, redirections) = (true, 0); ;)
        {
            try
            {
                // Given the text, the client sends SCRIPT LOAD and the call together.
                var call = known ? database.ScriptEvaluateAsync(_hash, keys, arguments) : database.ScriptEvaluateAsync(_text, keys, arguments);
                return await call.UntilAsync(cancellationToken);
            }
            catch (RedisServerException exception) when (known && RedisFaults.IsUnknownScript(exception))
            {
                known = false;
            }
            catch (Exception exception) when (redirections < MostRedirections && RedisFaults.IsRedirection(exception))
            {
                redirections++;
            }
        }
    }
}
