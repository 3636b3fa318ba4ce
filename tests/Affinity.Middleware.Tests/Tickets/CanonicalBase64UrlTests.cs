using Affinity.Tickets;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class CanonicalBase64UrlTests
{
    [Theory]
    [InlineData("_w", new byte[] { 0xFF })]
    [InlineData("-_8", new byte[] { 0xFB, 0xFF })]
    [InlineData("AAAA", new byte[] { 0, 0, 0 })]
    [InlineData("", new byte[0])]
    public void The_one_spelling_is_read(string text, byte[] expected)
    {
        var bytes = new byte[CanonicalBase64Url.DecodedLength(text.Length)];
        Assert.True(CanonicalBase64Url.TryDecode(text, bytes));
        Assert.Equal(expected, bytes);
    }

    [Theory]
    [InlineData("_w==")]
    [InlineData("_x")]
    [InlineData("-_9")]
    [InlineData("_w ")]
    [InlineData(" _w")]
    [InlineData("A\nAAA")]
    [InlineData("/w")]
    [InlineData("+/8")]
    [InlineData("%5Fw")]
    [InlineData("A")]
    [InlineData("AAAAA")]
    [InlineData("AA\0A")]
    [InlineData("ÄAAA")]
    public void Every_other_spelling_is_refused(string text) =>
        Assert.False(CanonicalBase64Url.TryDecode(text, new byte[16]));

    [Fact]
    public void Whatever_is_read_is_written_the_same_way() =>
        Prop.ForAll<byte[]>(bytes =>
        {
            var text = Sample.Text(bytes);
            var decoded = new byte[CanonicalBase64Url.DecodedLength(text.Length)];
            return CanonicalBase64Url.TryDecode(text, decoded) && decoded.AsSpan().SequenceEqual(bytes);
        }).QuickCheckThrowOnFailure();
}
