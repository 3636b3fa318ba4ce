using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

/// <summary>
/// The executable form of <see cref="ISessionStore"/>: a backend derives, supplies its store and a way to let the store's time pass, and is right when every fact holds: those here, which need a store that checks and writes in one
/// step and keeps its idle limits itself, and those that any store keeps.
/// </summary>
public abstract class SessionStoreConformance : WeakSessionStoreConformance
{
    [Fact]
    public async Task Two_hundred_parallel_writers_end_at_exactly_two_hundred_increments()
    {
        var version = await WrittenAsync(Create(BitConverter.GetBytes(0)));

        await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () =>
        {
            var (seen, value) = (version, 0);
            while (true)
            {
                var result = await Store.WriteAsync(Key, After(seen, BitConverter.GetBytes(value + 1)), CancellationToken.None);
                if (result.Kind == SessionWriteKind.Written)
                {
                    return;
                }

                Assert.Equal(SessionWriteKind.Conflict, result.Kind);
                (seen, value) = (result.Newer!.Version, BitConverter.ToInt32(result.Newer.Payload.Span));
            }
        })));

        var found = await FoundAsync();
        Assert.Equal(200, BitConverter.ToInt32(found.Payload.Span));
        Assert.Equal(201UL, found.Version.Counter);
    }

    [Fact]
    public async Task Of_many_parallel_creates_exactly_one_is_written()
    {
        var kinds = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => TryWriteAsync(Create()))));

        Assert.Single(kinds, SessionWriteKind.Written);
        Assert.Equal(49, kinds.Count(kind => kind == SessionWriteKind.Conflict));
    }

    [Fact]
    public async Task A_touch_starts_the_idle_limit_anew_and_leaves_the_rest()
    {
        var version = await WrittenAsync(Create([5], idle: Soon, generation: 2));
        Assert.True(await Store.TouchAsync(Key, Hour, CancellationToken.None));
        await PassAsync(Soon);

        var found = await FoundAsync();
        Assert.Equal((version, 2), (found.Version, found.Generation));
        Assert.Equal([5], found.Payload.ToArray());
    }

    [Fact]
    public async Task A_touch_may_shorten_the_idle_limit()
    {
        await WrittenAsync(Create());
        await Store.TouchAsync(Key, Soon, CancellationToken.None);
        await PassAsync(Soon);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }

    [Fact]
    public async Task A_read_does_not_slide_the_idle_limit()
    {
        var version = await WrittenAsync(Create(idle: Soon));
        await PassAsync(Soon / 2);
        await ReadAsync();
        await ReadAsync(version);
        await PassAsync(Soon / 2);

        Assert.Equal(SessionRead.Absent, await ReadAsync());
    }
}
