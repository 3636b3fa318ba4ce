using System.Buffers.Binary;
using Affinity.Backends.Distributed;
using Affinity.Sessions;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Backends.Distributed;

public sealed class DistributedRecordTests
{
    private static readonly DateTimeOffset Ends = DateTimeOffset.FromUnixTimeMilliseconds(1_890_000_000_123);

    private static readonly DistributedSessionRecord Sample = new(
        3, TimeSpan.FromMinutes(20), Ends, [new SessionVersion(6, 0x0102_0304_0506_0708), new SessionVersion(9, ulong.MaxValue)], new byte[] { 1, 2, 255 });

    [Fact]
    public void Format_1_is_what_the_golden_file_says()
    {
        var golden = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Backends", "golden", "distributed-format-1.hex")).ReplaceLineEndings(string.Empty);

        Assert.Equal(golden, Convert.ToHexStringLower(Sample.Write()));
        AssertIsSample(DistributedSessionRecord.Read(Convert.FromHexString(golden)));
    }

    [Fact]
    public void Every_truncation_before_the_payload_is_refused()
    {
        var bytes = Sample.Write();
        for (var length = 0; length < bytes.Length - Sample.Payload.Length; length++)
        {
            Assert.Null(DistributedSessionRecord.Read(bytes.AsMemory(0, length)));
        }
    }

    public static TheoryData<string, int, byte[]> Damages => new()
    {
        { "a newer format", 0, [2] },
        { "no format", 0, [0] },
        { "a negative generation", 1, [0xff, 0xff, 0xff, 0xff] },
        { "no idle limit", 5, new byte[8] },
        { "a negative idle limit", 5, [0x80, 0, 0, 0, 0, 0, 0, 0] },
        { "an idle limit of centuries", 5, [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "an end before time", 13, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "an end after time", 13, [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
        { "no writes", 21, [0] },
        { "more writes than are remembered", 21, [17] },
        { "more writes than there are bytes", 21, [16] },
        { "a write without a counter", 22, new byte[8] },
        { "a write without a stamp", 30, new byte[8] },
        { "writes that do not rise", 38, [0, 0, 0, 0, 0, 0, 0, 6] },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_record_is_refused_whole(string damage, int at, byte[] bytes)
    {
        var record = Sample.Write();
        bytes.CopyTo(record, at);

        Assert.True(DistributedSessionRecord.Read(record) is null, damage);
    }

    [Fact]
    public void Random_bytes_never_throw_and_what_is_read_is_in_bounds()
    {
        Prop.ForAll<byte[], byte>((bytes, count) =>
        {
            var header = new byte[22];
            header[0] = 1;
            header[12] = 1;
            header[21] = (byte)(count % 20);
            return new[] { bytes, [.. header, .. bytes] }.All(candidate => DistributedSessionRecord.Read(candidate) is not { } record
                || (record.Writes.Count is > 0 and <= SessionWrite.RememberedWrites && record.Idle > TimeSpan.Zero && record.Generation >= 0 && !record.Version.IsNone));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void An_ending_is_read_as_it_was_written_and_a_damaged_one_as_the_oldest()
    {
        var bytes = DistributedEnding.Write(Ends);

        Assert.Equal(Ends, DistributedEnding.Until(bytes));
        Assert.Equal("01000001b80cc7547b", Convert.ToHexStringLower(bytes));
        Assert.Equal(DateTimeOffset.MinValue, DistributedEnding.Until([]));
        Assert.Equal(DateTimeOffset.MinValue, DistributedEnding.Until(bytes.AsSpan(1)));
        Assert.Equal(DateTimeOffset.MinValue, DistributedEnding.Until([2, .. bytes.AsSpan(1)]));
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), long.MaxValue);
        Assert.Equal(DateTimeOffset.MinValue, DistributedEnding.Until(bytes));
    }

    [Theory]
    [InlineData("shop", "affinity:shop:s:")]
    [InlineData("Shop.Web_2-b", "affinity:Shop.Web_2-b:s:")]
    [InlineData("a/b", "affinity:c14cddc033f64b9d:s:")]
    public void A_name_that_a_cache_might_not_take_stands_in_its_keys_as_a_hash(string application, string prefix) => Assert.Equal(prefix, DistributedSessionStore.PrefixOf(application));

    private static void AssertIsSample(DistributedSessionRecord? record)
    {
        Assert.NotNull(record);
        Assert.Equal((Sample.Generation, Sample.Idle, Sample.Ends), (record.Generation, record.Idle, record.Ends));
        Assert.Equal(Sample.Writes, record.Writes);
        Assert.Equal(Sample.Payload.ToArray(), record.Payload.ToArray());
    }
}
