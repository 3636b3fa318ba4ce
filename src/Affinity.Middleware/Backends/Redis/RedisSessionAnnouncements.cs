using System.Globalization;
using Affinity.Diagnostics;
using Affinity.Sessions;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Affinity.Backends.Redis;

/// <summary>
/// Hears which sessions were ended or renewed. The session scripts publish it themselves, as <c>key generation</c>, so an ending and its announcement are one round trip. What was published while the
/// connection was lost is not heard. <c>key ?</c> asks who remembers a session. The client subscribes anew after a lost connection, but not always (1.2.6): who has heard nothing for a while says a word that means nothing, and subscribes anew when it
/// does not come back. All nodes hear that word, so a quiet farm says it about once per <see cref="Silence"/>, however many nodes it has.
/// </summary>
internal sealed class RedisSessionAnnouncements(RedisConnection connection, RedisOptions options, TimeProvider time, ILogger<RedisSessionAnnouncements> logger) : ISessionAnnouncements, IDisposable
{
    // In the place of a generation; a version that does not know it passes it over.
    private const string Wanted = "?";

    // One word alone is no announcement.
    private const string Word = Wanted;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _end = new();
    private readonly RedisChannel _channel = new(RedisSessionStore.ChannelOf(options), RedisChannel.PatternMode.Literal);
    private readonly Lock _gate = new();
    private Action<SessionKey, int>? _stale;
    private Action<SessionKey>? _wanted;
    private bool _listens;
    private long _heard;

    public void Listen(Action<SessionKey, int> stale) => Begin(() => _stale += stale);

    public void ListenForWanted(Action<SessionKey> wanted) => Begin(() => _wanted += wanted);

    public async ValueTask<int?> AskAsync(SessionKey key, CancellationToken cancellationToken)
    {
        try
        {
            var subscriber = await connection.GetSubscriberAsync(cancellationToken);
            var heard = await subscriber.PublishAsync(_channel, $"{key.Value} {Wanted}").UntilAsync(cancellationToken);

            // A server of a cluster counts its own listeners only. This node is one of them, unless it has just lost its connection: then it counts one too few and is asked once more.
            return Array.Exists(subscriber.Multiplexer.GetEndPoints(), point => subscriber.Multiplexer.GetServer(point).ServerType == ServerType.Cluster) ? null : (int)Math.Max(heard - 1, 0);
        }
        catch (Exception e) when (e is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            return 0;
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

    /// <summary>One subscription for all who listen: the client makes it anew only when nobody is left of the old one.</summary>
    private void Begin(Action add)
    {
        lock (_gate)
        {
            add();
            if (!_listens)
            {
                _listens = true;
                _ = ListenAsync();
            }
        }
    }

    private async Task ListenAsync()
    {
        var token = _end.Token;
        for (var isFirst = true; !token.IsCancellationRequested; isFirst = false)
        {
            if (await TrySubscribeAsync(isFirst, token) is { } subscriber)
            {
                await UntilDeafAsync(subscriber, token);
            }

            await PauseAsync(Pause, token);
        }
    }

    private async Task<ISubscriber?> TrySubscribeAsync(bool isFirst, CancellationToken token)
    {
        ISubscriber? subscriber = null;
        try
        {
            subscriber = await connection.GetSubscriberAsync(token);
            await subscriber.SubscribeAsync(_channel, Hear).WaitAsync(Silence, time, token);
            return subscriber;
        }
        catch (Exception e) when (!token.IsCancellationRequested)
        {
            // Until this works, memory is bounded by its age. The client keeps a handler even if the server has refused it.
            if (isFirst)
            {
                logger.RedisAnnouncementsNotHeard(connection.Explain(e));
            }

            End(subscriber);
            return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    /// <summary>Comes back, without the subscription, when it is found dead or its connection was given up.</summary>
    private async Task UntilDeafAsync(ISubscriber subscribed, CancellationToken token)
    {
        while (!token.IsCancellationRequested)
        {
            await PauseAsync(Pause, token);
            if (!connection.IsCurrent(subscribed.Multiplexer))
            {
                return;
            }

            if (IsQuiet && await TrySayAsync(token) is { } subscriber)
            {
                await PauseAsync(Pause, token);
                if (IsQuiet && !token.IsCancellationRequested)
                {
                    logger.RedisAnnouncementsNotHeard("what this node says on the channel does not come back.");
                    End(subscriber);
                    return;
                }
            }
        }
    }

    private void End(ISubscriber? subscriber)
    {
        try
        {
            subscriber?.Unsubscribe(_channel, Hear, CommandFlags.FireAndForget);
        }
        catch (Exception e) when (e is ObjectDisposedException or RedisException)
        {
            // Its connection was given up, and the subscription with it.
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

    private void Hear(RedisChannel channel, RedisValue message)
    {
        Volatile.Write(ref _heard, time.GetTimestamp());

        // Anybody who may publish can send anything: what is not an announcement is passed over.
        var words = ((string?)message ?? "").Split(' ', 3);
        if (words.Length != 2 || !SessionKey.TryParse(words[0], out var key))
        {
            return;
        }

        if (string.Equals(words[1], Wanted, StringComparison.Ordinal))
        {
            _wanted?.Invoke(key);
        }
        else if (int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var generation))
        {
            _stale?.Invoke(key, generation);
        }
    }
}
