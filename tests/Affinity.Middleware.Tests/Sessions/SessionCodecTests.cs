using Affinity.Sessions;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Sessions;

public sealed class SessionCodecTests
{
    private static readonly DateTimeOffset Created = DateTimeOffset.FromUnixTimeMilliseconds(1_790_000_000_123);
    private static readonly DateTimeOffset Renewed = Created.AddMinutes(5);

    [Fact]
    public void Format_1_is_what_the_golden_file_says()
    {
        var items = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["basket"] = "[1,2]"u8.ToArray(), ["ключ"] = [0, 255], ["empty"] = [] };

        var encoded = SessionCodec.Encode(Created, Renewed, items, maxBytes: 1024);

        var golden = Path.Combine(AppContext.BaseDirectory, "Sessions", "golden", "session-format-1.hex");
        Assert.Equal(File.ReadAllText(golden).ReplaceLineEndings(string.Empty), Convert.ToHexStringLower(encoded));
        Assert.True(SessionCodec.TryDecode(encoded, out var created, out var renewed, out var decoded));
        Assert.Equal((Created, Renewed), (created, renewed));
        Assert.Equal(items, decoded);
    }

    [Fact]
    public void Whatever_is_encoded_decodes_to_the_same()
    {
        var items = Gen.ArrayOf(Gen.Zip(ArbMap.Default.GeneratorFor<NonNull<string>>(), ArbMap.Default.GeneratorFor<byte[]>()))
            .Select(pairs => pairs.GroupBy(pair => Wellformed(pair.Item1.Get)).ToDictionary(group => group.Key, group => group.First().Item2, StringComparer.Ordinal));
        Prop.ForAll(Arb.From(items), original =>
        {
            var encoded = SessionCodec.Encode(Created, Renewed, original, int.MaxValue);
            return SessionCodec.TryDecode(encoded, out _, out _, out var decoded)
                && decoded.Count == original.Count
                && original.All(item => decoded[item.Key].SequenceEqual(item.Value));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Every_truncation_and_every_extension_is_refused()
    {
        var encoded = Sample();
        for (var length = 0; length < encoded.Length; length++)
        {
            Assert.False(SessionCodec.TryDecode(encoded.AsSpan(0, length), out _, out _, out _), $"{length} of {encoded.Length} bytes");
        }

        Assert.False(SessionCodec.TryDecode([.. encoded, 0], out _, out _, out _));
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        Prop.ForAll<byte[]>(bytes =>
        {
            SessionCodec.TryDecode(bytes, out _, out _, out _);
            SessionCodec.TryDecode([1, .. new byte[16], .. bytes], out _, out _, out _);
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(0, (byte)0)]
    [InlineData(0, (byte)2)]
    [InlineData(1, (byte)0xff)]
    [InlineData(17, (byte)0x7f)]
    [InlineData(17, (byte)0xff)]
    [InlineData(21, (byte)0xff)]
    public void A_damaged_header_or_length_is_refused(int position, byte value)
    {
        var encoded = Sample();
        encoded[position] = value;

        Assert.False(SessionCodec.TryDecode(encoded, out _, out _, out _));
    }

    [Fact]
    public void A_key_that_comes_twice_is_refused()
    {
        var one = SessionCodec.Encode(Created, Renewed, new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["a"] = [1] }, 1024);
        byte[] twice = [.. one, .. one.AsSpan(21)];
        twice[20] = 2;

        Assert.False(SessionCodec.TryDecode(twice, out _, out _, out _));
    }

    [Fact]
    public void Too_large_names_the_size_the_limit_and_the_largest_keys()
    {
        var items = new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["small"] = new byte[10], ["picture"] = new byte[900] };

        var e = Assert.Throws<SessionTooLargeException>(() => SessionCodec.Encode(Created, Renewed, items, maxBytes: 500));

        Assert.Equal(500, e.Limit);
        Assert.Equal(21 + 6 + 5 + 10 + 6 + 7 + 900, e.Size);
        Assert.Contains("'picture' (913 bytes), 'small' (21 bytes)", e.Message, StringComparison.Ordinal);
    }

    private static byte[] Sample() => SessionCodec.Encode(
        Created, Renewed, new Dictionary<string, byte[]>(StringComparer.Ordinal) { ["basket"] = [1, 2, 3], ["n"] = [] }, maxBytes: 1024);

    private static string Wellformed(string text) => string.Concat(text.Where(c => !char.IsSurrogate(c)));
}
