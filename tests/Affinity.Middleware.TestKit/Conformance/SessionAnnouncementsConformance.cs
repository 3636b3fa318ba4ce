using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

/// <summary>
/// The executable form of <see cref="ISessionAnnouncements"/>, together with the store that announces: a backend derives and supplies both, and is right when every fact holds.
/// </summary>
public abstract class SessionAnnouncementsConformance
{
    private const int Ended = int.MaxValue;
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly SessionKey _key = NewKey();

    /// <summary>The store that ends and renews; nobody else announces where this one does.</summary>
    protected abstract ISessionStore Store { get; }

    [Fact]
    public async Task An_ended_session_is_told_to_every_node_and_every_listener_of_it()
    {
        var ears = await ListenAsync(nodes: 3, listeners: 2);
        await WrittenAsync(Create());

        await DeleteAsync(_key);

        foreach (var ear in ears)
        {
            Assert.Equal((_key, Ended), await ear.NextAsync());
        }
    }

    [Fact]
    public async Task A_renewed_session_is_told_with_the_first_generation_that_counts()
    {
        var ears = await ListenAsync(nodes: 2);
        var version = await WrittenAsync(Create(generation: 3));

        version = await WrittenAsync(After(version, generation: 4));
        await WrittenAsync(After(version, generation: 2_000_000_000));

        foreach (var ear in ears)
        {
            Assert.Equal((_key, 4), await ear.NextAsync());
            Assert.Equal((_key, 2_000_000_000), await ear.NextAsync());
        }
    }

    [Fact]
    public async Task A_write_that_renews_nothing_is_not_told()
    {
        var ears = await ListenAsync(nodes: 2);

        var version = await WrittenAsync(Create(generation: 1));
        version = await WrittenAsync(After(version, generation: 1));
        await Store.TouchAsync(_key, Hour, CancellationToken.None);
        await Store.ReadAsync(_key, version, CancellationToken.None);

        await NothingWasToldAsync(ears);
    }

    [Fact]
    public async Task A_renewal_that_was_refused_is_not_told()
    {
        var ears = await ListenAsync(nodes: 1);
        var first = await WrittenAsync(Create());
        await WrittenAsync(After(first));

        var conflict = await Store.WriteAsync(_key, After(first, generation: 1), CancellationToken.None);
        var absent = await Store.WriteAsync(NewKey(), After(first, generation: 1), CancellationToken.None);

        Assert.Equal((SessionWriteKind.Conflict, SessionWriteKind.Absent), (conflict.Kind, absent.Kind));
        await NothingWasToldAsync(ears);
    }

    [Fact]
    public async Task Ending_a_session_that_the_store_does_not_have_is_told_too()
    {
        // A node may remember what the store has lost.
        var ears = await ListenAsync(nodes: 1);

        await DeleteAsync(_key);

        Assert.Equal((_key, Ended), await ears[0].NextAsync());
    }

    [Fact]
    public async Task What_is_told_has_taken_effect()
    {
        var ears = await ListenAsync(nodes: 1);
        var version = await WrittenAsync(Create());
        var renewal = After(version, generation: 1);
        await WrittenAsync(renewal);
        Assert.Equal((_key, 1), await ears[0].NextAsync());
        Assert.Equal(renewal.Next, (await Store.ReadAsync(_key, default, CancellationToken.None)).Session!.Version);

        await DeleteAsync(_key);

        Assert.Equal((_key, Ended), await ears[0].NextAsync());
        Assert.Equal(SessionRead.Ended, await Store.ReadAsync(_key, default, CancellationToken.None));
    }

    [Fact]
    public async Task A_hundred_endings_at_once_are_all_told()
    {
        var ears = await ListenAsync(nodes: 2);
        var keys = Enumerable.Range(0, 100).Select(_ => NewKey()).ToArray();

        await Task.WhenAll(keys.Select(key => Task.Run(() => DeleteAsync(key))));

        foreach (var ear in ears)
        {
            var told = new HashSet<SessionKey>();
            while (told.Count < keys.Length)
            {
                told.Add((await ear.NextAsync()).Key);
            }

            Assert.Equal(keys.ToHashSet(), told);
        }
    }

    [Fact]
    public async Task A_session_that_is_missed_is_asked_of_every_node_and_is_not_taken_for_ended()
    {
        var ears = await ListenAsync(nodes: 2);
        List<System.Threading.Channels.Channel<SessionKey>> asked = [];
        foreach (var node in Enumerable.Range(0, 2).Select(_ => OnAnotherNode()).ToList())
        {
            var heard = System.Threading.Channels.Channel.CreateUnbounded<SessionKey>();
            asked.Add(heard);
            node.ListenForWanted(key => heard.Writer.TryWrite(key));
        }

        var asking = OnAnotherNode();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        foreach (var heard in asked)
        {
            while (!heard.Reader.TryPeek(out _))
            {
                await asking.AskAsync(NewKey(), patience.Token);
                await Task.Delay(10, patience.Token);
            }
        }

        // Two ears and two nodes beside the one that asks, where the backend can count them.
        Assert.True(await asking.AskAsync(_key, patience.Token) is null or >= 1);

        foreach (var heard in asked)
        {
            while (await heard.Reader.ReadAsync(patience.Token) != _key)
            {
                // What was asked until both listened.
            }
        }

        await NothingWasToldAsync(ears);
    }

    /// <summary>The announcements as one more node hears them; the suite's own to dispose, where that is needed.</summary>
    protected abstract ISessionAnnouncements OnAnotherNode();

    /// <summary>Listeners that have heard something already, so that they miss nothing from now on.</summary>
    private protected async Task<IReadOnlyList<Ear>> ListenAsync(int nodes, int listeners = 1)
    {
        var ears = Enumerable.Range(0, nodes).Select(_ => OnAnotherNode()).SelectMany(node => Enumerable.Range(0, listeners).Select(_ => new Ear(node))).ToList();
        foreach (var ear in ears)
        {
            await HearsAgainAsync(ear);
        }

        // What the others have heard while the last ones were not ready yet.
        var last = NewKey();
        await DeleteAsync(last);
        foreach (var ear in ears)
        {
            await ear.SkipToAsync(last);
        }

        return ears;
    }

    /// <summary>Ends sessions until this listener hears of one.</summary>
    private protected async Task HearsAgainAsync(Ear ear)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            await DeleteAsync(NewKey());
            if (await ear.HearsWithinAsync(TimeSpan.FromMilliseconds(50)))
            {
                return;
            }
        }
    }

    private protected async Task NothingWasToldAsync(IEnumerable<Ear> ears)
    {
        var marker = NewKey();
        await DeleteAsync(marker);
        foreach (var ear in ears)
        {
            Assert.Equal((marker, Ended), await ear.NextAsync());
        }
    }

    private protected async Task DeleteAsync(SessionKey key) => await Store.DeleteAsync(key, Hour, CancellationToken.None);

    private protected static SessionKey NewKey() => SessionKey.Of(SessionId.Create());

    private static SessionWrite Create(int generation = 0) => After(SessionVersion.None, generation);

    private static SessionWrite After(SessionVersion expected, int generation = 0) => new(expected, expected.Next(), generation, new byte[] { 1 }, Hour, Hour);

    private async Task<SessionVersion> WrittenAsync(SessionWrite write)
    {
        Assert.Equal(SessionWriteKind.Written, (await Store.WriteAsync(_key, write, CancellationToken.None)).Kind);
        return write.Next;
    }
}
