using Affinity.Backends.Memory;
using Affinity.Sessions;
using Affinity.Tickets;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class MemorySessionStoreTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly ManualTime _time = new();
    private readonly MemorySessionStore _store;

    public MemorySessionStoreTests() => _store = new MemorySessionStore(_time);

    [Fact]
    public async Task One_tick_before_its_limit_a_session_is_there_and_at_it_it_is_gone()
    {
        var key = await CreateAsync();
        _time.Advance(Hour - TimeSpan.FromTicks(1));
        Assert.Equal(SessionReadKind.Found, (await _store.ReadAsync(key, default, CancellationToken.None)).Kind);

        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(SessionRead.Absent, await _store.ReadAsync(key, default, CancellationToken.None));
    }

    [Fact]
    public async Task A_jump_of_the_date_ends_no_session()
    {
        var key = await CreateAsync();
        _time.Skew(TimeSpan.FromDays(2));

        Assert.Equal(SessionReadKind.Found, (await _store.ReadAsync(key, default, CancellationToken.None)).Kind);
    }

    /// <summary>A sweep that waited for as many changes as there were records never came while each change was a new record.</summary>
    [Fact]
    public async Task Expired_sessions_that_nobody_asks_for_are_swept()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _time.Advance(Hour / 1000);
            await CreateAsync();
        }

        Assert.InRange(_store.Count, 999, 2 * 1000);
    }

    private async Task<SessionKey> CreateAsync()
    {
        var key = SessionKey.Of(SessionId.Create());
        await _store.WriteAsync(key, new SessionWrite(default, SessionVersion.None.Next(), 0, new byte[] { 1 }, Hour, Hour), CancellationToken.None);
        return key;
    }
}
