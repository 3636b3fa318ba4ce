using Affinity.Sessions;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class WeakSessionStoreConformance
{
    [Fact]
    public async Task At_its_idle_limit_a_session_is_gone()
    {
        var version = await WrittenAsync(Create(idle: Soon));
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
        Assert.False(await Store.TouchAsync(Key, Hour, CancellationToken.None));
        Assert.Equal(SessionWriteKind.Absent, await TryWriteAsync(After(version)));
    }

    [Fact]
    public async Task At_its_absolute_limit_a_session_is_gone()
    {
        await WrittenAsync(Create(absolute: Soon));
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task An_expired_session_can_be_created_again()
    {
        await WrittenAsync(Create([1], idle: Soon));
        await PassAsync(Soon);
        var version = await WrittenAsync(Create([2]));

        Assert.Equal(version, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task A_write_starts_the_idle_limit_anew()
    {
        var version = await WrittenAsync(Create(idle: Soon));
        await WrittenAsync(After(version, idle: Hour));
        await PassAsync(Soon);

        await FoundAsync();
    }

    [Fact]
    public async Task A_touch_does_not_reach_beyond_the_absolute_limit()
    {
        await WrittenAsync(Create(idle: Soon / 2, absolute: Soon));
        Assert.True(await Store.TouchAsync(Key, Hour, CancellationToken.None));
        Assert.InRange((await FoundAsync()).Remaining, TimeSpan.Zero, Soon);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task The_absolute_limit_is_fixed_when_the_session_is_created()
    {
        var version = await WrittenAsync(Create(absolute: Soon));
        await WrittenAsync(After(version, idle: Hour, absolute: Hour));
        Assert.InRange((await FoundAsync()).AbsoluteRemaining, TimeSpan.Zero, Soon);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task A_refused_write_does_not_slide_the_idle_limit()
    {
        await WrittenAsync(Create(idle: Soon));
        Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(Create()));
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task Touching_an_absent_session_creates_nothing()
    {
        Assert.False(await Store.TouchAsync(Key, Hour, CancellationToken.None));
        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }
}
