using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class WeakSessionStoreConformance
{
    [Fact]
    public async Task A_session_that_was_lost_is_given_back_under_its_own_version_and_goes_on_from_there()
    {
        var seventh = new SessionVersion(7, 0xfedc_ba98_7654_3210);
        await WrittenAsync(Create([7], generation: 2) with { Next = seventh });

        var found = await FoundAsync();

        Assert.Equal((seventh, 2), (found.Version, found.Generation));
        Assert.Equal(8u, (await WrittenAsync(After(seventh, generation: 2))).Counter);
    }

    [Fact]
    public async Task Writes_that_were_lost_are_given_back_at_once_on_top_of_what_is_there()
    {
        var first = await WrittenAsync(Create([1]));
        var lost = After(first, [9]) with { Next = new SessionVersion(9, 99) };
        await WrittenAsync(lost);
        await WrittenAsync(lost);

        var found = await FoundAsync();

        Assert.Equal(lost.Next, found.Version);
        Assert.Equal([9], found.Payload.ToArray());
        Assert.Equal([first, lost.Next], found.Writes);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_writes_that_led_to_what_is_given_back_are_remembered_as_if_they_had_been_written(bool onTop)
    {
        var first = onTop ? await WrittenAsync(Create()) : SessionVersion.None;
        SessionVersion[] between = [new(3, 33), new(4, ulong.MaxValue), new(7, 1)];
        await WrittenAsync(After(first) with { Next = new SessionVersion(9, 99), Between = between });

        Assert.Equal([.. (SessionVersion[])(onTop ? [first] : []), .. between, new SessionVersion(9, 99)], (await FoundAsync()).Writes);
        var repeated = new SessionWrite(new SessionVersion(3, 33), new SessionVersion(4, ulong.MaxValue), 0, new byte[] { 1 }, Hour, Hour);
        Assert.Equal(SessionWriteKind.Superseded, await TryWriteAsync(repeated));
    }

    [Fact]
    public async Task What_was_lost_is_not_given_back_over_what_others_have_written_nor_after_the_ending()
    {
        var first = await WrittenAsync(Create());
        var lost = After(first) with { Next = new SessionVersion(9, 99) };
        var second = await WrittenAsync(After(first));

        var conflict = await Store.WriteAsync(Key, lost, CancellationToken.None);
        Assert.Equal((SessionWriteKind.Conflict, second), (conflict.Kind, conflict.Newer!.Version));
        Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(lost with { Expected = SessionVersion.None }));
        await Store.DeleteAsync(Key, Hour, CancellationToken.None);
        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(lost));
        Assert.Equal(SessionWriteKind.Ended, await TryWriteAsync(lost with { Expected = SessionVersion.None }));
    }

    [Fact]
    public async Task What_is_given_back_lives_for_the_time_that_it_is_given()
    {
        await WrittenAsync(Create(idle: TimeSpan.FromMinutes(3), absolute: TimeSpan.FromMinutes(30)) with { Next = new SessionVersion(5, 5) });

        var found = await FoundAsync();

        Assert.InRange(found.Remaining, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(3));
        Assert.InRange(found.AbsoluteRemaining, TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(30));
    }

    [Fact]
    public async Task A_record_tells_the_last_sixteen_writes_that_led_to_it_to_readers_and_writers()
    {
        List<SessionVersion> writes = [];
        for (var at = SessionVersion.None; writes.Count < SessionWrite.RememberedWrites + 4; writes.Add(at))
        {
            at = await WrittenAsync(After(at));
        }

        var last = writes.TakeLast(SessionWrite.RememberedWrites);
        Assert.Equal(last, (await FoundAsync()).Writes);
        Assert.Equal(last, (await Store.WriteAsync(Key, Create(), CancellationToken.None)).Newer!.Writes);
        Assert.Empty((await ReadAsync(writes[^1])).Session!.Writes);
    }

    [Fact]
    public async Task Who_may_change_the_record_answers_a_read_as_anybody_does()
    {
        Assert.Equal(SessionRead.Absent, await ReadLatestAsync());
        var version = await WrittenAsync(Create([4], idle: TimeSpan.FromMinutes(5)));

        var found = await ReadLatestAsync();
        Assert.Equal((SessionReadKind.Found, version), (found.Kind, found.Session!.Version));
        Assert.Equal([4], found.Session.Payload.ToArray());
        Assert.InRange(found.Session.Remaining, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
        Assert.Equal(SessionReadKind.Unchanged, (await ReadLatestAsync(version)).Kind);
        await Store.DeleteAsync(Key, Hour, CancellationToken.None);
        Assert.Equal(SessionRead.Ended, await ReadLatestAsync());
    }

    [Fact]
    public async Task Asked_what_it_has_lost_a_store_answers_in_words_or_not_at_all()
    {
        var said = await Store.TestifyAsync(CancellationToken.None);

        Assert.NotEqual("", said);
        Assert.DoesNotContain(Key.Value, said ?? "", StringComparison.Ordinal);
    }

    private ValueTask<SessionRead> ReadLatestAsync(SessionVersion known = default) => Store.ReadLatestAsync(Key, known, CancellationToken.None);
}
