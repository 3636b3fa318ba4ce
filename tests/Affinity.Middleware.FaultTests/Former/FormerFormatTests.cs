using Xunit;

namespace Affinity.FaultTests.Former;

/// <summary>The former release is worth its name only as long as it writes and reads what the golden files hold.</summary>
public sealed class FormerFormatTests
{
    private const string Application = "shop";
    private const string Cookie = "__Host-affinity";
    private static readonly DateTimeOffset Noon = new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly string Secret = Convert.ToBase64String([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    [Fact]
    public void It_reads_the_golden_ticket_and_writes_it_byte_for_byte()
    {
        var golden = Golden("session-v1-secret.txt");

        var ticket = FormerFormat.Open(golden, Application, Cookie, Secret)!;

        Assert.Equal((7UL, 2, Noon.ToUnixTimeSeconds()), (ticket.Counter, ticket.Generation, ticket.Issued));
        Assert.Equal(golden, FormerFormat.Seal(ticket, Application, Cookie, Secret, Noon));
        Assert.Null(FormerFormat.Open(golden, "another", Cookie, Secret));
    }

    [Fact]
    public void It_reads_the_golden_record_and_writes_it_byte_for_byte()
    {
        var golden = Convert.FromHexString(Golden("session-format-1.hex"));

        var content = FormerFormat.Decode(golden)!;

        Assert.Equal(["basket", "ключ", "empty"], content.Items.Keys);
        Assert.Equal(golden, FormerFormat.Encode(content));
        Assert.Null(FormerFormat.Decode([2, .. golden[1..]]));
    }

    private static string Golden(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "golden", name)).ReplaceLineEndings("");
}
