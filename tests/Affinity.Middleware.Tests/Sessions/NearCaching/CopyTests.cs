using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using static Affinity.Tests.Sessions.NearCaching.NearSample;

namespace Affinity.Tests.Sessions.NearCaching;

/// <summary>A store that may answer from a copy which lags behind: what the copy shows counts as old as it may be.</summary>
public sealed class CopyTests
{
    private readonly ManualTime _time = new();
    private readonly SessionId _id = SessionId.Create();
    private readonly NearCache _near;
    private readonly CopyStore _store;
    private readonly SessionLoader _loader;

    public CopyTests()
    {
        var options = Options();
        _near = new NearCache(options, _time);
        _store = new CopyStore(new MemorySessionStore(_time), new MemorySessionStore(_time));
        _loader = Loader(_store, _near, options, _time);
    }

    private SessionKey Key => SessionKey.Of(_id);

    [Fact]
    public async Task What_a_copy_has_shown_is_remembered_as_if_it_had_been_asked_when_that_was_so()
    {
        await WriteAsync(_store.Copy);
        _store.Age = TimeSpan.FromSeconds(2);

        Assert.False((await LoadAsync(Version(1))).IsNear);
        _time.Advance(MaxAge - _store.Age - Tick);
        Assert.True((await LoadAsync(Version(1))).IsNear);
        _time.Advance(Tick);
        Assert.False((await LoadAsync(Version(1))).IsNear);

        Assert.Equal((2, 0), (_store.OfCopy, _store.OfPrimary));
    }

    [Fact]
    public async Task An_ending_that_was_heard_since_is_not_undone_by_a_copy_that_has_not_heard_of_it()
    {
        await WriteAsync(_store.Copy);
        await _store.Primary.DeleteAsync(Key, Idle, CancellationToken.None);
        _near.Refuse(Key);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        _store.Age = TimeSpan.FromMilliseconds(500);

        Assert.Equal(SessionLoadKind.Ended, (await LoadAsync(Version(1))).Kind);
        Assert.Equal((1, 1), (_store.OfCopy, _store.OfPrimary));
    }

    [Fact]
    public async Task A_renewal_that_was_heard_since_is_not_undone_by_a_copy_either()
    {
        await WriteAsync(_store.Copy);
        await WriteAsync(_store.Primary, generation: 1);
        _near.Refuse(Key, generation: 1);
        _store.Age = TimeSpan.FromMilliseconds(500);

        Assert.NotEqual(SessionLoadKind.Found, (await LoadAsync(Version(1))).Kind);
        Assert.Equal((1, 1), (_store.OfCopy, _store.OfPrimary));
    }

    [Fact]
    public async Task An_ending_that_nobody_was_told_of_is_refused_within_the_age_that_memory_may_have()
    {
        await WriteAsync(_store.Copy);
        await _store.Primary.DeleteAsync(Key, Idle, CancellationToken.None);
        _store.Age = TimeSpan.FromSeconds(1); // the copy may have been asked a second after the ending

        _time.Advance(_store.Age - Tick);
        Assert.Equal(SessionLoadKind.Found, (await LoadAsync(Version(1))).Kind);
        _store.IsNear = false; // further behind than it may be
        _time.Advance(MaxAge - _store.Age + Tick);

        Assert.Equal(SessionLoadKind.Ended, (await LoadAsync(Version(1))).Kind);
    }

    [Theory]
    [InlineData(3, 7, 7)]
    [InlineData(7, 3, 7)]
    [InlineData(4, 4, 4)]
    public async Task The_bound_is_the_later_of_what_the_visitor_and_what_this_node_has_seen(ulong ticket, ulong held, ulong bound)
    {
        _near.Put(_id, Near(_time, _id, Snapshot(_time, held)));
        _time.Advance(MaxAge);
        await WriteAsync(_store.Copy, counter: 9);

        await LoadAsync(Version(ticket));

        Assert.Equal(Version(bound), _store.AtLeast);
    }

    private ValueTask<SessionLoadResult> LoadAsync(SessionVersion version) => _loader.LoadAsync(Ticket(_time, _id, version), CancellationToken.None);

    private async Task WriteAsync(MemorySessionStore store, ulong counter = 1, int generation = 0)
    {
        var payload = SessionCodec.Encode(_time.GetUtcNow(), _time.GetUtcNow(), new Dictionary<string, byte[]>(StringComparer.Ordinal), 1024);
        await store.WriteAsync(Key, new SessionWrite(SessionVersion.None, Version(counter), generation, payload, Idle, TimeSpan.FromHours(24)), CancellationToken.None);
    }

    private sealed class CopyStore(MemorySessionStore primary, MemorySessionStore copy) : ISessionStore
    {
        public MemorySessionStore Primary => primary;

        public MemorySessionStore Copy => copy;

        public TimeSpan Age { get; set; }

        public bool IsNear { get; set; } = true;

        public int OfCopy { get; private set; }

        public int OfPrimary { get; private set; }

        public SessionVersion AtLeast { get; private set; }

        public ValueTask<SessionRead> ReadAsync(SessionKey key, SessionVersion known, CancellationToken cancellationToken)
        {
            OfPrimary++;
            return primary.ReadAsync(key, known, cancellationToken);
        }

        public async ValueTask<SessionRead> ReadAtLeastAsync(SessionKey key, SessionVersion known, SessionVersion atLeast, CancellationToken cancellationToken)
        {
            AtLeast = atLeast;
            if (!IsNear)
            {
                return await ReadAsync(key, known, cancellationToken);
            }

            OfCopy++;
            var read = await copy.ReadAsync(key, known, cancellationToken);
            return read.Session is { } session ? read with { Session = session with { Age = Age } } : read;
        }

        public ValueTask<SessionWriteResult> WriteAsync(SessionKey key, SessionWrite write, CancellationToken cancellationToken) => primary.WriteAsync(key, write, cancellationToken);

        public ValueTask<bool> TouchAsync(SessionKey key, TimeSpan idle, CancellationToken cancellationToken) => primary.TouchAsync(key, idle, cancellationToken);

        public ValueTask DeleteAsync(SessionKey key, TimeSpan remember, CancellationToken cancellationToken) => primary.DeleteAsync(key, remember, cancellationToken);
    }
}
