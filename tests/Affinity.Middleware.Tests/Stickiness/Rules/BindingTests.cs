using Affinity.Nodes;
using Affinity.Stickiness;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Stickiness.Rules;

public sealed class BindingTests
{
    private static readonly DateTimeOffset Time = DateTimeOffset.FromUnixTimeSeconds(1_767_268_800);

    public static TheoryData<string, string> Golden => new()
    {
        // format, repairs, length and "node-a", no track, no time
        { "bare", "0100" + "066E6F64652D61" + "00" + "0000000000000000" },
        { "timed", "0100" + "066E6F64652D61" + "00" + "00000000695661C0" },
        { "whole", "0103" + "066E6F64652D61" + "04626C7565" + "00000000695661C0" + "000000006957B340" },
    };

    [Theory]
    [MemberData(nameof(Golden))]
    public void The_golden_bytes_are_written_and_read(string name, string hex)
    {
        var binding = Named(name);

        Assert.Equal(hex, Convert.ToHexString(Bytes(binding)));
        Assert.True(Binding.TryRead(Convert.FromHexString(hex), out var read));
        Assert.Equal(binding, read);
    }

    [Fact]
    public void The_largest_binding_has_the_stated_size()
    {
        var name = new string('x', NodeId.MaxLength);
        Assert.Equal(Binding.MaxSize, Bytes(Named("whole") with { Node = NodeId.Parse(name), Track = name }).Length);
    }

    [Fact]
    public void Every_binding_comes_back_as_it_was() =>
        Prop.ForAll<int, int, int>((seed, until, trackUntil) =>
        {
            var binding = Random(seed, until, trackUntil);
            return Binding.TryRead(Bytes(binding), out var read) && read == binding;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Whatever_can_be_read_is_written_in_the_same_bytes() =>
        Prop.ForAll<int, int, byte>((seed, at, value) =>
        {
            // One byte of a genuine binding is changed: what is still read must have this form and no other.
            var bytes = Bytes(Random(seed, seed, at));
            bytes[(at & int.MaxValue) % bytes.Length] = value;
            return !Binding.TryRead(bytes, out var read) || bytes.AsSpan().SequenceEqual(Bytes(read));
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Random_bytes_are_refused_without_an_exception() =>
        Prop.ForAll<byte[]>(bytes => !Binding.TryRead(bytes, out var read) || bytes.AsSpan().SequenceEqual(Bytes(read))).QuickCheckThrowOnFailure();

    [Theory]
    [MemberData(nameof(Golden))]
    public void A_binding_that_is_cut_or_goes_on_is_refused(string name, string hex)
    {
        Assert.NotNull(name);
        var bytes = Convert.FromHexString(hex);
        for (var length = 0; length < bytes.Length; length++)
        {
            AssertRefused(bytes[..length]);
        }

        AssertRefused([.. bytes, 0]);
    }

    [Theory]
    [InlineData("0200" + "0161" + "00" + "0000000000000000")] // an unknown format
    [InlineData("0110" + "0161" + "00" + "0000000000000000")] // 16 repairs
    [InlineData("0100" + "00" + "00" + "0000000000000000")] // no node
    [InlineData("0100" + "012E" + "00" + "0000000000000000")] // a dot
    [InlineData("0100" + "01E1" + "00" + "0000000000000000")] // an a with an eighth bit
    [InlineData("0100" + "0161" + "0120" + "0000000000000000" + "0000000000000001")] // a track of a space
    [InlineData("0100" + "0161" + "0162" + "0000000000000000" + "0000000000000000")] // a track without its time
    [InlineData("0100" + "0161" + "00" + "8000000000000000")] // before 1970
    [InlineData("0100" + "0161" + "00" + "0000003AFFF44180")] // the year 10000
    public void What_is_not_a_binding_is_refused(string hex) => AssertRefused(Convert.FromHexString(hex));

    [Fact]
    public void What_no_reader_takes_is_not_written()
    {
        Assert.Throws<ArgumentException>(() => Bytes(Named("bare") with { Track = "blue" }));
        Assert.Throws<ArgumentException>(() => Bytes(Named("bare") with { TrackUntil = Time }));
        Assert.Throws<ArgumentException>(() => Bytes(Named("whole") with { Track = "b.1" }));
        Assert.Throws<ArgumentException>(() => Bytes(Named("bare") with { Repairs = 16 }));
        Assert.Throws<ArgumentException>(() => Bytes(Named("bare") with { Until = DateTimeOffset.UnixEpoch }));
    }

    private static Binding Named(string name) => name switch
    {
        "bare" => new Binding(NodeId.Parse("node-a")),
        "timed" => new Binding(NodeId.Parse("node-a"), Time),
        _ => new Binding(NodeId.Parse("node-a"), Time) { Track = "blue", TrackUntil = Time.AddDays(1), Repairs = 3 },
    };

    private static Binding Random(int seed, int until, int trackUntil)
    {
        var random = new Random(seed);
        var track = random.Next(2) == 0 ? null : Name(random);
        return new Binding(NodeId.Parse(Name(random)), until == 0 ? null : Time.AddSeconds(until / 2))
        {
            Track = track, TrackUntil = track is null ? null : Time.AddSeconds(trackUntil / 2), Repairs = random.Next(16),
        };
    }

    private static string Name(Random random) => random.GetString("ABCXYZabcxyz0189_-", random.Next(1, NodeId.MaxLength + 1));

    private static byte[] Bytes(Binding binding)
    {
        var bytes = new byte[binding.Size];
        binding.Write(bytes);
        return bytes;
    }

    private static void AssertRefused(byte[] bytes)
    {
        Assert.False(Binding.TryRead(bytes, out var binding));
        Assert.Null(binding);
    }
}
