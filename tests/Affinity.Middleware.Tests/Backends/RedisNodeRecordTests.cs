using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.Tests.Nodes;
using Xunit;

namespace Affinity.Tests.Backends;

public sealed class RedisNodeRecordTests
{
    private const string Head = "9 00112233445566778899aabbccddeeff ";

    [Fact]
    public void What_a_node_tells_of_its_settings_stands_in_its_record_and_nothing_where_it_tells_nothing()
    {
        var node = FakeDirectory.Peer("a") with { Settings = "1abcd" };

        Assert.Equal("""{"f":1,"s":"active","n":0,"c":"1abcd"}""", RedisNodeRecord.Write(node));
        Assert.Equal("1abcd", RedisNodeRecord.Read("a", Head + RedisNodeRecord.Write(node))!.Settings);
        Assert.Null(RedisNodeRecord.Read("a", Head + RedisNodeRecord.Write(node with { Settings = null }))!.Settings);
    }

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("{\"a\":1}")]
    [InlineData("\"")]
    public void Settings_of_another_kind_make_that_record_unreadable_and_throw_nothing(string json) =>
        Assert.Null(RedisNodeRecord.Read("a", Head + $$"""{"f":1,"s":"active","n":0,"c":{{json}}}"""));
}
