using System.Buffers.Text;
using Affinity.Tickets;
using Microsoft.Extensions.Primitives;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class UnknownKeyScanTests
{
    private static readonly Guid Id = new("0f8fad5b-d9cb-469f-a165-70867728950e");

    [Fact]
    public void An_id_is_found_in_a_cookie_among_others() =>
        Assert.Equal([Id], Find($"a=1; .AspNetCore.Cookies={Payload(Id)}; b=2"));

    [Fact]
    public void An_id_is_found_in_a_later_line_and_in_a_chunk() =>
        Assert.Equal([Id], UnknownKeyScan.Find(new StringValues(["a=1", $"C=chunks-2; CC1={Payload(Id)}; CC2=abc"]), _ => true));

    [Fact]
    public void Standard_base64_and_percent_encoding_are_read_too()
    {
        // Ids whose base64 has both + and /.
        var id = new Guid(Convert.FromHexString("FBEFBEFFFFFFFBEFBEFBEFFFFFFFFBEF"));
        var standard = Convert.ToBase64String(Bytes(id));
        Assert.Contains('+', standard);
        Assert.Contains('/', standard);

        Assert.Equal([id], Find("a=" + standard));
        Assert.Equal([id], Find("a=" + Uri.EscapeDataString(standard)));
        Assert.Equal([id], Find("a=" + Uri.EscapeDataString(standard).Replace("%2B", "%2b", StringComparison.Ordinal)));
    }

    [Fact]
    public void Duplicates_are_reported_once_and_at_most_eight_ids()
    {
        Assert.Equal([Id], Find($"a={Payload(Id)}; b={Payload(Id)}"));
        Assert.Equal(8, Find(string.Join("; ", Enumerable.Range(0, 20).Select(i => $"c{i}={Payload(Guid.NewGuid())}")))!.Count);
    }

    [Fact]
    public void Known_ids_are_not_reported() =>
        Assert.Null(UnknownKeyScan.Find($"a={Payload(Id)}", _ => false));

    [Theory]
    [InlineData("")]
    [InlineData("a=1; b=2")]
    [InlineData("a=CfDJ8")]
    [InlineData("a=CfDJ8CfDJ8CfDJ8CfDJ8CfDJ8")]
    [InlineData("a=CfDJ8%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%")]
    [InlineData("a=CfDJ8!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    [InlineData("a=CfDJ8zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz")]
    public void Anything_else_is_passed_over(string header) => Assert.Null(Find(header));

    [Fact]
    public void A_request_without_protected_values_allocates_nothing()
    {
        var header = new StringValues("_ga=GA1.2.1234567890.1234567890; theme=dark; route=node-a; basket=" + new string('x', 2000));
        Func<Guid, bool> isUnknown = _ => true;
        UnknownKeyScan.Find(header, isUnknown);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            UnknownKeyScan.Find(header, isUnknown);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static List<Guid>? Find(string header) => UnknownKeyScan.Find(header, _ => true);

    private static string Payload(Guid id) => Base64Url.EncodeToString(Bytes(id));

    private static byte[] Bytes(Guid id) => [0x09, 0xF0, 0xC9, 0xF0, .. id.ToByteArray(), .. new byte[40]];
}
