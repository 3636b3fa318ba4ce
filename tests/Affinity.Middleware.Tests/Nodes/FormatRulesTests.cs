using Affinity.Backends.Memory;
using Affinity.Backends.Redis;
using Affinity.Nodes;
using Affinity.TestKit;
using Xunit;

namespace Affinity.Tests.Nodes;

/// <summary>What is written while releases run side by side.</summary>
public sealed class FormatRulesTests
{
    [Theory]
    [InlineData(3, new int[0], 1)] // nothing is known
    [InlineData(3, new[] { 3 }, 3)]
    [InlineData(3, new[] { 3, 3, 2 }, 2)]
    [InlineData(3, new[] { 1, 3, 3 }, 1)]
    [InlineData(2, new[] { 3, 5 }, 2)] // nobody writes what they do not know
    [InlineData(2, new[] { 0, 2 }, 1)]
    [InlineData(2, new[] { -7, 2 }, 1)]
    public void Everybody_writes_the_lowest_level_that_the_living_read(int newest, int[] live, int written) =>
        Assert.Equal(written, FormatRules.ToWrite(newest, [.. live.Select((level, i) => Node("n" + i) with { FormatLevel = level })]));

    [Fact]
    public void The_level_rises_when_the_last_old_node_has_gone_and_falls_when_one_comes()
    {
        var node = new NodeMembership(NodeId.Parse("new"), new BoundVisitors(TimeSpan.FromMinutes(20), TimeProvider.System), TimeProvider.System) { FormatLevel = 2 };
        var (self, other) = (node.ToRecord(), Node("other") with { FormatLevel = 2 });
        Assert.Equal((2, 1), (self.FormatLevel, node.LevelToWrite));

        node.Joined([self, Node("old")]);
        Assert.Equal(1, node.LevelToWrite);
        node.Joined([self, other]);
        Assert.Equal(2, node.LevelToWrite);
        node.DirectoryAway(DateTimeOffset.UnixEpoch);
        Assert.Equal(2, node.LevelToWrite);
        node.Joined([self, other, Node("old")]);
        Assert.Equal(1, node.LevelToWrite);
    }

    [Fact]
    public void A_record_tells_its_level_and_one_without_is_of_level_1()
    {
        var head = $"1 {Guid.NewGuid():N} ";
        Assert.Equal(1, RedisNodeRecord.Read("a", head + """{"f":1,"s":"active","n":0}""")?.FormatLevel);
        Assert.Equal("""{"f":1,"s":"active","n":0}""", RedisNodeRecord.Write(Node("a")));

        var later = RedisNodeRecord.Write(Node("a") with { FormatLevel = 2 });
        Assert.Equal("""{"f":1,"s":"active","n":0,"l":2}""", later);
        Assert.Equal(2, RedisNodeRecord.Read("a", head + later)?.FormatLevel);
    }

    [Fact]
    public async Task Nodes_learn_each_others_level_from_the_directory()
    {
        var directory = new MemoryNodeDirectory(new ManualTime());
        await directory.BeatAsync(Node("a") with { FormatLevel = 2 }, TimeSpan.FromMinutes(1), CancellationToken.None);

        var beat = await directory.BeatAsync(Node("b"), TimeSpan.FromMinutes(1), CancellationToken.None);

        Assert.Equal([2, 1], beat.Live.Select(node => node.FormatLevel));
    }

    /// <summary>Whoever adds a format reads here what else there is to do: docs/operations.md, "Upgrading".</summary>
    [Fact]
    public void This_release_reads_level_1_as_the_documents_say()
    {
        Assert.Equal((1, 1), (FormatRules.First, FormatRules.Newest));
        Assert.Contains("this release reads and writes level 1", File.ReadAllText(Path.Combine(Repository.Root!, "docs", "operations.md")), StringComparison.Ordinal);
    }

    private static NodeRecord Node(string id) => new(NodeId.Parse(id), Guid.NewGuid(), NodeState.Active, InFlight: 0);
}
