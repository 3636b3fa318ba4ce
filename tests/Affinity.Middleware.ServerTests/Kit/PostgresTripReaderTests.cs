using System.Buffers.Binary;
using System.Text;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Kit;

public class PostgresTripReaderTests
{
    private static readonly byte[] Conversation =
    [
        .. Start(80877103, ""), .. Start(3 << 16, "user\0shop\0\0"), .. Message('Q', "SELECT 1\0"),
        .. Message('P', "S\0SELECT 2\0"), .. Message('B', "SS"), .. Message('E', "\0\0\0\0\0"), .. Message('S', ""), .. Message('S', ""), .. Message('X', ""),
    ];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(1000)]
    public void Trips_are_found_however_the_bytes_are_cut(int pieceLength)
    {
        var seen = new List<string>();
        var reader = new PostgresTripReader(seen.Add);
        foreach (var piece in Conversation.Chunk(pieceLength))
        {
            reader.Read(piece);
        }

        Assert.Equal(["QUERY", "SYNC", "SYNC"], seen);
    }

    [Fact]
    public void Other_protocols_pass_uncounted()
    {
        var reader = new PostgresTripReader(name => Assert.Fail(name));
        reader.Read(Encoding.ASCII.GetBytes("SSSSSSSSQ\0\0\0\u0004S\0\0\0\u0004"));
        reader = new PostgresTripReader(name => Assert.Fail(name));
        reader.Read([.. Start(7, ""), .. Message('S', "")]);
    }

    private static byte[] Start(int code, string rest) => [.. Number(rest.Length + 8), .. Number(code), .. Encoding.ASCII.GetBytes(rest)];

    private static byte[] Message(char type, string rest) => [(byte)type, .. Number(rest.Length + 4), .. Encoding.ASCII.GetBytes(rest)];

    private static byte[] Number(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
