using System.Globalization;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// Hears which sessions were ended or renewed. The session scripts publish it themselves, as <c>key generation</c>, so an ending and its announcement are one round trip. The client subscribes anew by itself
/// after a lost connection; what was published meanwhile is not heard. <c>key ?</c> asks who remembers a session.
/// </summary>
internal sealed class RedisSessionAnnouncements(RedisConnection connection, RedisOptions options, TimeProvider time, ILogger<RedisSessionAnnouncements> logger) : ISessionAnnouncements, IDisposable
{
    // In the place of a generation; a version that does not know it passes it over.
    private const string Wanted = "?";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();

    public void Listen(Action<SessionKey, int> stale) => _ = ListenAsync(message => Tell(stale, message));

    public void ListenForWanted(Action<SessionKey> wanted) => _ = ListenAsync(message => TellWanted(wanted, message));

    public async ValueTask<bool> AskAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            var subscriber = await connection.GetSubscriberAsync(cancellationToken);
            var channel = new RedisChannel(RedisSessionStore.ChannelOf(options), RedisChannel.PatternMode.Literal);
            var heard = await subscriber.PublishAsync(channel, $"{key.Value} {Wanted}").UntilAsync(cancellationToken);

            // A server of a cluster counts its own listeners only, so there it is not known.
            return heard > 1 || Array.Exists(subscriber.Multiplexer.GetEndPoints(), point => subscriber.Multiplexer.GetServer(point).ServerType == ServerType.Cluster);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            // Nobody has heard, as far as is known; what is lost is told as lost.
            return false;
        }
    }

    public void Dispose()
    {
        // The container holds it under two names and ends it twice.
        if (!_end.IsCancellationRequested)
        {
            _end.Cancel();
            _end.Dispose();
        }
    }

    private async Task ListenAsync(Action<string?> hear)
    {
        var token = _end.Token;
        for (var tries = 1; !token.IsCancellationRequested; tries++)
        {
            if (await TryListenAsync(hear, isFirst: tries == 1, token))
            {
                return;
            }

            await Task.Delay(Pause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<bool> TryListenAsync(Action<string?> hear, bool isFirst, CancellationToken token)
    {
        ISubscriber? subscriber = null;
        var channel = new RedisChannel(RedisSessionStore.ChannelOf(options), RedisChannel.PatternMode.Literal);
        void Hear(RedisChannel channel, RedisValue message) => hear(message);
        try
        {
            subscriber = await connection.GetSubscriberAsync(token);
            await subscriber.SubscribeAsync(channel, Hear).WaitAsync(token);
            return true;
        }
        catch (Exception e) when (!token.IsCancellationRequested)
        {
            // Until this works, memory is bounded by its age. The client keeps a handler even if the server has refused it.
            if (isFirst)
            {
                logger.RedisAnnouncementsNotHeard(connection.Explain(e));
            }

            subscriber?.Unsubscribe(channel, Hear, CommandFlags.FireAndForget);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static void TellWanted(Action<SessionKey> wanted, string? message)
    {
        var words = (message ?? "").Split(' ', 3);
        if (words.Length == 2 && string.Equals(words[1], Wanted, StringComparison.Ordinal) && SessionKey.TryParse(words[0], out var key))
        {
            wanted(key);
        }
    }

    // Anybody who may publish can send anything: what is not an announcement is passed over.
    private static void Tell(Action<SessionKey, int> stale, string? message)
    {
        var words = (message ?? "").Split(' ', 3);
        if (words.Length == 2 && SessionKey.TryParse(words[0], out var key) && int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
        {
            stale(key, generation);
        }
    }
}
