using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class WeakSessionStoreConformance
{
    [Fact]
    public async Task An_ended_session_reads_as_ended()
    {
        var version = await WrittenAsync(Create());
        await DeleteAsync(Hour);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
        Assert.Equal(SessionRead.Ended, await ReadAsync(version));
    }

    [Fact]
    public async Task An_ended_session_refuses_create_update_repeat_and_touch()
    {
        var create = Create();
        var version = await WrittenAsync(create);
        await DeleteAsync(Hour);

        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(Create()));
        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(After(version)));
        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(create));
        Assert.False(await Store.TouchAsync(Key, Hour, CancellationToken.None));
        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    [Fact]
    public async Task Deleting_an_absent_session_is_remembered()
    {
        await DeleteAsync(Hour);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(Create()));
    }

    [Fact]
    public async Task Deleting_twice_is_fine()
    {
        await WrittenAsync(Create());
        await DeleteAsync(Hour);
        await DeleteAsync(Hour);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    [Fact]
    public async Task A_second_shorter_deletion_does_not_shorten_the_memory()
    {
        await DeleteAsync(Hour);
        await DeleteAsync(Soon);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    [Fact]
    public async Task A_second_longer_deletion_lengthens_the_memory()
    {
        await DeleteAsync(Soon);
        await DeleteAsync(Hour);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    [Fact]
    public async Task The_ending_outlives_the_limits_of_the_session()
    {
        await WrittenAsync(Create(idle: Soon));
        await DeleteAsync(Hour);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    [Fact]
    public async Task The_ending_is_forgotten_after_its_time()
    {
        await WrittenAsync(Create());
        await DeleteAsync(Soon);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
        await WrittenAsync(Create());
    }

    [Fact]
    public async Task A_slow_writer_never_brings_an_ended_session_back()
    {
        var version = await WrittenAsync(Create());

        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => Task.Run(async () =>
        {
            if (i == 20)
            {
                await DeleteAsync(Hour);
            }
            else
            {
                await TryWriteAsync(After(version));
            }
        })));

        Assert.Equal(SessionRead.Ended, await ReadAsync());
    }

    public static TheoryData<SessionWrite> WrongWrites()
    {
        var right = Create();
        var one = SessionVersion.None.Next();
        return
        [
            right with { Next = SessionVersion.None },
            right with { Expected = new SessionVersion(3, 1), Next = new SessionVersion(2, 1) },
            right with { Expected = new SessionVersion(2, 1), Next = new SessionVersion(2, 2) },
            right with { Next = new SessionVersion(1, 0) },
            right with { Expected = new SessionVersion(0, 5) },
            right with { Expected = new SessionVersion(1, 0), Next = new SessionVersion(2, 1) },
            right with { Expected = one, Next = one },
            right with { Expected = new SessionVersion(ulong.MaxValue, 1), Next = new SessionVersion(0, 1) },
            right with { Next = new SessionVersion(5, 5), Between = [new SessionVersion(3, 3), new SessionVersion(2, 2)] },
            right with { Next = new SessionVersion(5, 5), Between = [new SessionVersion(5, 4)] },
            right with { Next = new SessionVersion(5, 5), Between = [new SessionVersion(4, 0)] },
            right with { Generation = -1 },
            right with { Idle = TimeSpan.Zero },
            right with { Idle = TimeSpan.FromTicks(-1) },
            right with { Absolute = TimeSpan.Zero },
        ];
    }

    [Theory]
    [MemberData(nameof(WrongWrites), DisableDiscoveryEnumeration = true)]
    public async Task A_wrong_write_is_refused(SessionWrite write)
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => TryWriteAsync(write));
        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task Durations_that_are_not_positive_are_refused()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.TouchAsync(Key, TimeSpan.Zero, CancellationToken.None));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => DeleteAsync(TimeSpan.FromSeconds(-1)));
    }

    [Fact]
    public async Task A_default_key_is_refused()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.ReadAsync(default, default, CancellationToken.None));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.WriteAsync(default, Create(), CancellationToken.None));
    }

    [Fact]
    public async Task A_cancelled_token_ends_every_call_at_once_and_changes_nothing()
    {
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.WriteAsync(Key, Create(), cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.ReadAsync(Key, default, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.TouchAsync(Key, Hour, cancelled));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Store.DeleteAsync(Key, Hour, cancelled));

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    private async Task DeleteAsync(TimeSpan remember) => await Store.DeleteAsync(Key, remember, CancellationToken.None);
}
