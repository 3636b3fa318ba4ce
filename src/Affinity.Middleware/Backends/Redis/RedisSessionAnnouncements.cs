using System.Globalization;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// Hears which sessions were ended or renewed. The session scripts publish it themselves, as <c>key generation</c>, so an ending and its announcement are one round trip. What was published while the
/// connection was lost is not heard. The client subscribes anew after a lost connection, but not always (1.2.6): who has heard nothing for a while says a word that means nothing, and subscribes anew when it
/// does not come back. All nodes hear that word, so a quiet farm says it about once per <see cref="Silence"/>, however many nodes it has.
/// </summary>
internal sealed class RedisSessionAnnouncements(RedisConnection connection, RedisOptions options, TimeProvider time, ILogger<RedisSessionAnnouncements> logger) : ISessionAnnouncements, IDisposable
{
    private const string Word = "?";
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _end = new();
    private readonly RedisChannel _channel = new(RedisSessionStore.ChannelOf(options), RedisChannel.PatternMode.Literal);
    private long _heard;

    public void Listen(Action<SessionKey, int> stale) => _ = ListenAsync((_, message) => Hear(stale, message));

    public void Dispose()
    {
        // The container holds it under two names and ends it twice.
        if (!_end.IsCancellationRequested)
        {
            _end.Cancel();
            _end.Dispose();
        }
    }

    private async Task ListenAsync(Action<RedisChannel, RedisValue> hear)
    {
        var token = _end.Token;
        for (var isFirst = true; !token.IsCancellationRequested; isFirst = false)
        {
            if (await TrySubscribeAsync(hear, isFirst, token))
            {
                await UntilDeafAsync(hear, token);
            }

            await PauseAsync(Pause, token);
        }
    }

    private async Task<bool> TrySubscribeAsync(Action<RedisChannel, RedisValue> hear, bool isFirst, CancellationToken token)
    {
        ISubscriber? subscriber = null;
        try
        {
            subscriber = await connection.GetSubscriberAsync(token);
            await subscriber.SubscribeAsync(_channel, hear).WaitAsync(Silence, time, token);
            return true;
        }
        catch (Exception e) when (!token.IsCancellationRequested)
        {
            // Until this works, memory is bounded by its age. The client keeps a handler even if the server has refused it.
            if (isFirst)
            {
                logger.RedisAnnouncementsNotHeard(connection.Explain(e));
            }

            subscriber?.Unsubscribe(_channel, hear, CommandFlags.FireAndForget);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>Comes back, without the subscription, when it is found dead.</summary>
    private async Task UntilDeafAsync(Action<RedisChannel, RedisValue> hear, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            await PauseAsync(Pause, token);
            if (IsQuiet && await TrySayAsync(token) is { } subscriber)
            {
                await PauseAsync(Pause, token);
                if (IsQuiet && !token.IsCancellationRequested)
                {
                    logger.RedisAnnouncementsNotHeard("what this node says on the channel does not come back.");
                    subscriber.Unsubscribe(_channel, hear, CommandFlags.FireAndForget);
                    return;
                }
            }
        }
    }

    private bool IsQuiet => time.GetElapsedTime(Volatile.Read(ref _heard)) >= Silence;

    /// <summary>Answers who was asked; null when the word could not be said: the server is away, or the user may not publish. Then nothing is learned from hearing nothing.</summary>
    private async Task<ISubscriber?> TrySayAsync(CancellationToken token)
    {
        try
        {
            var subscriber = await connection.GetSubscriberAsync(token);
            await subscriber.PublishAsync(_channel, Word).WaitAsync(Silence, time, token);
            return subscriber;
        }
        catch (Exception)
        {
            return null;
        }
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken token) =>
        await Task.Delay(pause, time, token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private void Hear(Action<SessionKey, int> stale, RedisValue message)
    {
        Volatile.Write(ref _heard, time.GetTimestamp());
        Tell(stale, message);
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
