using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Sessions;

/// <summary>What a store hands over is not taken on trust.</summary>
public sealed class SessionDecoderTests
{
    private static readonly ManualTime Time = new();
    private static readonly byte[] Payload = SessionCodec.Encode(Time.GetUtcNow(), Time.GetUtcNow(), new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["x"] = [1] }, 1024);

    [Theory]
    [InlineData(0UL, 1UL, 0)]
    [InlineData(1UL, 0UL, 0)]
    [InlineData(ulong.MaxValue, 1UL, 0)]
    [InlineData((1UL << 62) + 1, 1UL, 0)]
    [InlineData(1UL, 1UL, -1)]
    [InlineData(1UL, 1UL, int.MaxValue)]
    public void Numbers_that_no_session_comes_to_are_unreadable(ulong counter, ulong stamp, int generation)
    {
        var e = Assert.Throws<SessionStoreException>(() => SessionDecoder.Decode(Stored(new SessionVersion(counter, stamp), generation), Time));

        Assert.Equal(SessionStoreFault.Unreadable, e.Fault);
    }

    [Fact]
    public void The_largest_number_that_is_read_can_be_counted_on()
    {
        var snapshot = SessionDecoder.Decode(Stored(new SessionVersion(1UL << 62, 7), 1 << 30), Time);

        Assert.Equal((1UL << 62) + 1, snapshot.Version.Next().Counter);
    }

    /// <summary>Whatever stands among the last writes, what is made of it is what a store accepts when it is given them back.</summary>
    [Fact]
    public void Last_writes_rise_to_the_version_or_are_left_out()
    {
        var numbers = Gen.Choose(0, 6).Select(number => number == 6 ? ulong.MaxValue : (ulong)number);
        var writes = Gen.ListOf(Gen.Zip(numbers, numbers).Select(pair => new SessionVersion(pair.Item1, pair.Item2)));
        Prop.ForAll(Arb.From(writes), drawn =>
        {
            var version = new SessionVersion(5, 5);
            var stored = Stored(version, 0) with { Writes = [.. drawn] };
            var snapshot = SessionDecoder.Decode(stored, Time);
            var next = new SessionVersion(9, 9);
            SessionWrite.ThrowIfInvalid(new SessionWrite(SessionVersion.None, next, 0, default, TimeSpan.FromHours(1), TimeSpan.FromHours(1)) { Between = SessionHistory.Between(SessionVersion.None, snapshot.Writes, next) });
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Last_writes_that_rise_are_kept()
    {
        SessionVersion[] writes = [new(3, 1), new(4, 2), new(5, 3)];

        Assert.Equal(writes, SessionDecoder.Decode(Stored(writes[^1], 0) with { Writes = writes }, Time).Writes);
    }

    private static StoredSession Stored(SessionVersion version, int generation) => new(version, generation, Payload, TimeSpan.FromMinutes(20), TimeSpan.FromHours(1));
}
