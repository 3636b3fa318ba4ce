using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// One Lua text over one key. A call is one EVALSHA; a server that does not know the script (yet, or after SCRIPT FLUSH) is given it and asked again. In a cluster the client follows one redirection per call, and
/// learns from it: a node that missed one move of a slot and meets the next needs two, so it asks again at once.
/// </summary>
/// <remarks>
/// The client tells answers apart by their order alone. So that no bug there or in a proxy can hand one visitor what belongs to another, each call has a random mark as its last argument, and each answer of a script
/// is a list that begins with it. Another mark is a fault: the answer is not looked at, and the connection is given up.
/// </remarks>
internal sealed class RedisScript
{
    private const int MostRedirections = 2;
    private const int MarkLength = 8;

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

    /// <summary>Answers what the script said behind the mark.</summary>
    /// <exception cref="RedisRepliesMixedUpException">It was the answer to another call. What became of this one is not known.</exception>
    public async Task<ReadOnlyMemory<RedisValue>> EvaluateAsync(
        RedisConnection connection, string key, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        var database = await connection.GetDatabaseAsync(cancellationToken);
        var mark = new byte[MarkLength];
        Random.Shared.NextBytes(mark);
        var answer = await SendAsync(database, [key], [.. arguments, mark], cancellationToken);
        if (IsMarked(answer, mark))
        {
            return answer.AsMemory(1);
        }

        connection.Distrust(database.Multiplexer);
        throw new RedisRepliesMixedUpException();
    }

    private static bool IsMarked([NotNullWhen(true)] RedisValue[]? answer, byte[] mark) => answer is [var first, ..] && ((byte[]?)first).AsSpan().SequenceEqual(mark);

    private async Task<RedisValue[]?> SendAsync(IDatabase database, RedisKey[] keys, RedisValue[] arguments, CancellationToken cancellationToken)
    {
        for (var (known, redirections) = (true, 0); ;)
        {
            try
            {
                // Given the text, the client sends SCRIPT LOAD and the call together.
                var call = known ? database.ScriptEvaluateAsync(_hash, keys, arguments) : database.ScriptEvaluateAsync(_text, keys, arguments);
                return ToValues(await call.UntilAsync(cancellationToken));
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

    private static RedisValue[]? ToValues(RedisResult result)
    {
        try
        {
            return (RedisValue[]?)result;
        }
        catch (InvalidCastException)
        {
            return null; // lists within a list: no script of ours answers so
        }
    }
}
