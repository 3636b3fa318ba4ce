using Affinity.Backends.Redis;
using Affinity.Nodes;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class RedisNodeRecordTests
{
    private static readonly NodeRecord Whole = new(NodeId.Parse("a"), Guid.NewGuid(), NodeState.Draining, 3) { Bound = 40, Address = "[fd00::1]:8080", Track = "blue", Stopping = true };

    [Fact]
    public void What_a_node_tells_is_read_as_it_was() => Assert.Equal(Whole, Read(RedisNodeRecord.Write(Whole)));

    [Theory]
    [InlineData("""{"f":1,"s":"active","n":-5,"b":-1,"a":"10.0.0.1:80\r\nSet-Cookie: x=1","t":"blue; Path=/"}""")]
    [InlineData("""{"f":1,"s":"active","n":0,"a":"","t":""}""")]
    public void What_no_node_writes_counts_as_not_told(string json) =>
        Assert.Equal(new NodeRecord(Whole.Id, Whole.Incarnation, NodeState.Active, 0), Read(json));

    private static NodeRecord? Read(string json) => RedisNodeRecord.Read(Whole.Id.Value, Whole.Incarnation.ToString("N"), json);
}
