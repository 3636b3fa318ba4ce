using System.Text;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class RespCommandReaderTests
{
    private const string Pipeline = "*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nset\r\n$1\r\na\r\n$6\r\n*1\r\n$4\r\n*2\r\n$7\r\nEVALSHA\r\n$0\r\n\r\n*1\r\n$4\r\nping\r\n";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(1000)]
    public void Commands_are_found_however_the_bytes_are_cut(int pieceLength)
    {
        var seen = new List<string>();
        var reader = new RespCommandReader(seen.Add);
        foreach (var piece in Encoding.ASCII.GetBytes(Pipeline).Chunk(pieceLength))
        {
            reader.Read(piece);
        }

        Assert.Equal(["PING", "SET", "EVALSHA", "PING"], seen);
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\nHost: a\r\n\r\n*1\r\n$4\r\nPING\r\n")]
    [InlineData("*x\r\n$4\r\nPING\r\n")]
    [InlineData("*99999999999999999999999999999999\r\n")]
    public void Other_protocols_pass_uncounted(string bytes)
    {
        var reader = new RespCommandReader(name => Assert.Fail(name));
        reader.Read(Encoding.ASCII.GetBytes(bytes));
    }
}
