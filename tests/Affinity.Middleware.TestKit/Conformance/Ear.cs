using System.Threading.Channels;
using Affinity.Sessions;

namespace Affinity.TestKit.Conformance;

/// <summary>A listener to announcements that a test asks what it has heard, in order.</summary>
internal sealed class Ear
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Channel<(SessionKey Key, int Generation)> _heard = Channel.CreateUnbounded<(SessionKey, int)>();

    public Ear(ISessionAnnouncements announcements) => announcements.Listen((key, generation) => _heard.Writer.TryWrite((key, generation)));

    /// <summary>What was heard next; waits for it.</summary>
    public async Task<(SessionKey Key, int Generation)> NextAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _heard.Reader.ReadAsync(patience.Token);
    }

    /// <summary>Passes over all that was heard up to this session, it included.</summary>
    public async Task SkipToAsync(SessionKey key)
    {
        while ((await NextAsync()).Key != key)
        {
        }
    }

    /// <summary>Whether anything is heard in this time.</summary>
    public async Task<bool> HearsWithinAsync(TimeSpan time)
    {
        using var patience = new CancellationTokenSource(time);
        try
        {
            return await _heard.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
