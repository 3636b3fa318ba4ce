using System.Security.Cryptography;
using Affinity.Sessions;
using Affinity.Tickets;
using Xunit;

namespace Affinity.TestKit.Conformance;

public abstract partial class WeakSessionStoreConformance
{
    public static TheoryData<ulong, ulong> HardVersions => new()
    {
        { 1, ulong.MaxValue },
        { 1, 1 },
        { 9, 0x8000_0000_0000_0000 },
        { 999_999, 0x0000_0000_dead_beef },
        { (1UL << 53) - 1, 7 },
        { 1UL << 53, 7 },
        { (1UL << 53) + 1, 7 },
        { long.MaxValue, 7 },
        { (ulong)long.MaxValue + 1, 7 },
        { ulong.MaxValue - 3, 0xffff_ffff_ffff_fffe },
    };

    [Theory]
    [MemberData(nameof(HardVersions))]
    public async Task Counters_and_stamps_are_kept_to_the_last_bit(ulong counter, ulong stamp)
    {
        var store = Store;
        var start = new SessionVersion(counter, stamp);
        var seeded = await SeedAsync(Key, start);
        var second = await WrittenAsync(After(seeded, [2]));

        Assert.Equal(second, (await FoundAsync()).Version);
        Assert.Equal(SessionReadKind.Unchanged, (await store.ReadAsync(Key, second, CancellationToken.None)).Kind);
        foreach (var neighbour in (SessionVersion[])[second with { Counter = second.Counter + 1 }, second with { Counter = second.Counter - 1 }, second with { Stamp = second.Stamp ^ 1 }])
        {
            Assert.Equal(SessionReadKind.Found, (await store.ReadAsync(Key, neighbour, CancellationToken.None)).Kind);
            Assert.Equal(SessionWriteKind.Conflict, await TryWriteAsync(After(neighbour)));
        }
    }

    /// <summary>
    /// Puts a record of a version that no test can count up to under the key, behind the store's back. Does nothing by default, where there is no such way; the fact then starts at counter 1.
    /// </summary>
    protected virtual Task PlantAsync(SessionKey key, SessionVersion version) => Task.CompletedTask;

    [Fact]
    public async Task A_payload_keeps_every_byte_value()
    {
        var payload = Enumerable.Range(0, 512).Select(i => (byte)i).ToArray();
        await WrittenAsync(Create(payload));

        Assert.Equal(payload, (await FoundAsync()).Payload.ToArray());
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 0 })]
    [InlineData(new byte[] { 13, 10 })]
    [InlineData(new byte[] { 0xff, 0xfe, 0x00, 0xc3, 0x28 })]
    public async Task A_payload_may_be_empty_or_awkward(byte[] payload)
    {
        await WrittenAsync(Create(payload));

        Assert.Equal(payload, (await FoundAsync()).Payload.ToArray());
    }

    [Fact]
    public async Task A_payload_of_a_mebibyte_comes_back_whole()
    {
        var payload = RandomNumberGenerator.GetBytes(1024 * 1024);
        await WrittenAsync(Create(payload));

        Assert.Equal(payload, (await FoundAsync()).Payload.ToArray());
    }

    [Fact]
    public async Task The_caller_may_reuse_its_buffer_after_a_write()
    {
        byte[] buffer = [1, 2, 3];
        await WrittenAsync(Create(buffer));
        buffer.AsSpan().Clear();

        Assert.Equal([1, 2, 3], (await FoundAsync()).Payload.ToArray());
    }

    [Fact]
    public async Task A_known_version_comes_back_without_its_payload()
    {
        var version = await WrittenAsync(Create([1, 2, 3], generation: 5));

        var read = await ReadAsync(version);

        Assert.Equal(SessionReadKind.Unchanged, read.Kind);
        Assert.True(read.Session!.Payload.IsEmpty);
        Assert.Equal((version, 5), (read.Session.Version, read.Session.Generation));
        Assert.True(read.Session.Remaining > TimeSpan.Zero && read.Session.AbsoluteRemaining >= read.Session.Remaining);
    }

    [Fact]
    public async Task An_older_known_version_brings_the_newer_record()
    {
        var first = await WrittenAsync(Create([1]));
        await WrittenAsync(After(first, [2]));

        var read = await ReadAsync(first);

        Assert.Equal(SessionReadKind.Found, read.Kind);
        Assert.Equal([2], read.Session!.Payload.ToArray());
    }

    [Fact]
    public async Task The_largest_generation_and_the_longest_limits_are_taken()
    {
        await WrittenAsync(Create(idle: TimeSpan.MaxValue, absolute: TimeSpan.MaxValue, generation: int.MaxValue));

        var found = await FoundAsync();

        Assert.Equal(int.MaxValue, found.Generation);
        Assert.True(found.Remaining > TimeSpan.FromDays(365));
        Assert.True(await Store.TouchAsync(Key, TimeSpan.MaxValue, CancellationToken.None));
    }

    private async Task<SessionVersion> SeedAsync(SessionKey key, SessionVersion version)
    {
        await PlantAsync(key, version);
        if ((await ReadAsync()).Kind == SessionReadKind.Found)
        {
            return version;
        }

        return await WrittenAsync(Create() with { Next = new SessionVersion(1, version.Stamp) });
    }
}
