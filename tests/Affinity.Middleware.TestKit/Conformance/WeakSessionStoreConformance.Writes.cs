using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class WeakSessionStoreConformance
{
    [Fact]
    public async Task A_session_that_nobody_wrote_is_absent() => Assert.Equal(SessionRead.Absent, await ReadAsync());

    [Fact]
    public async Task A_created_session_is_found_as_it_was_written()
    {
        var write = Create([9, 8, 7], TimeSpan.FromMinutes(20), TimeSpan.FromHours(8), generation: 3);
        await WrittenAsync(write);

        var found = await FoundAsync();

        Assert.Equal(write.Next, found.Version);
        Assert.Equal(3, found.Generation);
        Assert.Equal([9, 8, 7], found.Payload.ToArray());
        Assert.InRange(found.Remaining, TimeSpan.FromMinutes(19), TimeSpan.FromMinutes(20));
        Assert.InRange(found.AbsoluteRemaining, TimeSpan.FromHours(7.9), TimeSpan.FromHours(8));
    }

    [Fact]
    public async Task An_update_replaces_version_generation_and_payload()
    {
        var first = await WrittenAsync(Create([1], generation: 1));
        var second = await WrittenAsync(After(first, [2, 2], generation: 2));

        var found = await FoundAsync();

        Assert.Equal((second, 2), (found.Version, found.Generation));
        Assert.Equal([2, 2], found.Payload.ToArray());
    }

    [Fact]
    public async Task A_create_never_updates_and_learns_what_is_there()
    {
        var first = await WrittenAsync(Create([1], generation: 4));

        var result = await Store.WriteAsync(Key, Create([2]), CancellationToken.None);

        Assert.Equal(SessionWriteKind.Conflict, result.Kind);
        Assert.Equal((first, 4), (result.Newer!.Version, result.Newer.Generation));
        Assert.Equal([1], result.Newer.Payload.ToArray());
        Assert.Equal([1], (await FoundAsync()).Payload.ToArray());
    }

    [Fact]
    public async Task An_update_never_creates()
    {
        Assert.Equal(SessionWriteKind.Absent, await TryWriteAsync(After(SessionVersion.None.Next())));
        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task A_write_on_an_old_version_changes_nothing_and_returns_the_newer_record()
    {
        var first = await WrittenAsync(Create([1]));
        var second = await WrittenAsync(After(first, [2]));

        var result = await Store.WriteAsync(Key, After(first, [3]), CancellationToken.None);

        Assert.Equal(SessionWriteKind.Conflict, result.Kind);
        Assert.Equal(second, result.Newer!.Version);
        Assert.Equal([2], result.Newer.Payload.ToArray());
        Assert.True(result.Newer.Remaining > TimeSpan.Zero && result.Newer.AbsoluteRemaining >= result.Newer.Remaining);
        Assert.Equal(second, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task The_same_counter_with_another_stamp_is_another_version()
    {
        var first = await WrittenAsync(Create());
        var twin = first with { Stamp = first.Stamp ^ 1 };

        Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(After(twin)));
        Assert.Equal(SessionReadKind.Found, (await ReadAsync(twin)).Kind);
    }

    [Fact]
    public async Task The_same_create_given_twice_takes_effect_once()
    {
        var write = Create();
        await WrittenAsync(write);
        await WrittenAsync(write);

        Assert.Equal(write.Next, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task The_same_update_given_twice_takes_effect_once()
    {
        var update = After(await WrittenAsync(Create()));
        await WrittenAsync(update);
        await WrittenAsync(update);

        Assert.Equal(update.Next, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task A_repeated_write_does_not_start_the_idle_limit_anew()
    {
        var write = Create(idle: TimeSpan.FromMinutes(5));
        await WrittenAsync(write);
        await WrittenAsync(write with { Idle = Hour });

        Assert.InRange((await FoundAsync()).Remaining, TimeSpan.Zero, TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task A_repeated_write_under_fifteen_others_is_superseded_and_learns_the_newest()
    {
        var write = Create();
        var newest = await WrittenAsync(await WrittenAsync(write), SessionWrite.RememberedWrites - 1);

        var result = await Store.WriteAsync(Key, write, CancellationToken.None);

        Assert.Equal(SessionWriteKind.Superseded, result.Kind);
        Assert.Equal(newest, result.Newer!.Version);
        Assert.Equal(newest, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task A_repeated_write_under_sixteen_others_is_forgotten_and_a_conflict()
    {
        var write = Create();
        await WrittenAsync(await WrittenAsync(write), SessionWrite.RememberedWrites);

        Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(write));
    }

    [Fact]
    public async Task A_repeated_update_in_the_middle_of_the_history_is_superseded()
    {
        var update = After(await WrittenAsync(await WrittenAsync(Create()), times: 20));
        await WrittenAsync(await WrittenAsync(update), times: 7);

        Assert.Equal(SessionWriteKind.Superseded, await TryWriteAsync(update));
    }

    [Fact]
    public async Task A_write_repeated_on_another_version_than_the_first_time_is_recognised_by_its_stamp()
    {
        var created = await WrittenAsync(Create());
        var write = After(created, [7]);
        var below = await WrittenAsync(await WrittenAsync(write), times: 3);
        var newest = await WrittenAsync(After(below));

        var result = await Store.WriteAsync(Key, Again(write, on: below), CancellationToken.None);

        Assert.Equal(SessionWriteKind.Superseded, result.Kind);
        Assert.Equal(newest, result.Newer!.Version);
        Assert.Equal(newest, (await FoundAsync()).Version);
    }

    [Fact]
    public async Task The_newest_write_repeated_on_another_version_is_recognised_too()
    {
        var write = After(await WrittenAsync(await WrittenAsync(Create()), times: 4), [7]);
        var newest = await WrittenAsync(write);

        var result = await Store.WriteAsync(Key, Again(write, on: SessionVersion.None), CancellationToken.None);

        Assert.Equal((SessionWriteKind.Superseded, newest), (result.Kind, result.Newer!.Version));
        Assert.Equal([7], result.Newer.Payload.ToArray());
    }

    [Fact]
    public async Task A_create_repeated_as_an_update_is_recognised()
    {
        var write = Create([7]);
        var below = await WrittenAsync(await WrittenAsync(write), times: 2);
        await WrittenAsync(After(below));

        Assert.Equal(SessionWriteKind.Superseded, await TryWriteAsync(Again(write, on: below)));
    }

    [Fact]
    public async Task A_stamp_under_sixteen_others_is_forgotten_whatever_version_it_is_repeated_on()
    {
        var write = After(await WrittenAsync(Create()));
        var below = await WrittenAsync(await WrittenAsync(write), SessionWrite.RememberedWrites - 1);
        await WrittenAsync(After(below));

        Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(Again(write, on: below)));
    }

    [Fact]
    public async Task Sessions_do_not_touch_one_another()
    {
        var other = SessionKey.Of(SessionId.Create());
        await WrittenAsync(Create([1]));
        await Store.WriteAsync(other, Create([2]), CancellationToken.None);
        await Store.DeleteAsync(other, Hour, CancellationToken.None);

        Assert.Equal([1], (await FoundAsync()).Payload.ToArray());
    }
}
