using Affinity.Backends;
using Affinity.FaultTests.History;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Nodes that die in the middle of a request.</summary>
public abstract class NodeTests(ITestOutputHelper output, FaultFarm nodes, string store) : FaultRows(output)
{
    private ProbeFarm Farm => nodes.Farm;

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task A_node_is_killed_inside_requests_before_they_are_saved() =>
        KillAsync($"node SIGKILL before the commit{store}", (gate, key, text) => $"held/{key}/{text}/{gate}", isSaved: false);

    [ServerFact(Needs.Redis | Needs.Postgres)]
    public Task A_node_is_killed_inside_requests_that_are_saved_and_not_answered() =>
        KillAsync($"node SIGKILL after the commit{store}", (gate, key, text) => $"history/committed/{key}/{text}/{gate}", isSaved: true);

    private async Task KillAsync(string fault, Func<string, string, string, string> path, bool isSaved)
    {
        HistoryEvent? died = null;
        var more = new LoadVisitor(100, Farm, new Scene { Fault = fault, Strike = () => Task.CompletedTask });
        await PlayAsync(
            Farm,
            new Scene { Fault = fault, Sticky = true, LosesNothing = true, Strike = () => Task.CompletedTask },
            async _ =>
            {
                Assert.True((await more.WriteAsync(0, (key, text) => $"history/set/{key}/{text}")).IsAnswered);
                var held = more.WriteAsync(1, (key, text) => path(fault.Replace(' ', '-'), key, text));
                (await new Visitor().GetAsync(Farm[1], "entered/" + fault.Replace(' ', '-'))).EnsureSuccessStatusCode();
                Farm.Nodes[1].Kill();
                died = await held;
                await Farm.Nodes[1].RestartAsync();
            });

        Assert.Equal(0, died!.Status);
        Assert.True(await more.ReadEverywhereAsync());
        Assert.Empty(HistoryChecker.Check([.. more.History]).Complaints);
        Assert.All(more.History.Where(e => e.Act == Act.Read), read => Assert.Equal(isSaved, read.Items.Values.Contains(HistoryEvent.Text(died.Visitor, died.Session, died.Value))));
    }
}

/// <summary>With their sessions in Redis.</summary>
public sealed class RedisNodeTests(ITestOutputHelper output, RedisNodeTests.Nodes nodes) : NodeTests(output, nodes, store: ""), IClassFixture<RedisNodeTests.Nodes>
{
    public sealed class Nodes : FaultFarm;
}

/// <summary>In PostgreSQL.</summary>
public sealed class PostgresNodeTests(ITestOutputHelper output, PostgresNodeTests.Nodes nodes) : NodeTests(output, nodes, ", PostgreSQL"), IClassFixture<PostgresNodeTests.Nodes>
{
    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Store = StoreKind.Postgres };
    }
}

/// <summary>In PostgreSQL, with Redis in front of it.</summary>
public sealed class CachedPostgresNodeTests(ITestOutputHelper output, CachedPostgresNodeTests.Nodes nodes) : NodeTests(output, nodes, ", Redis over PostgreSQL"), IClassFixture<CachedPostgresNodeTests.Nodes>
{
    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Store = StoreKind.RedisOverPostgres };
    }
}

/// <summary>In a cache that cannot compare and set.</summary>
public sealed class DistributedNodeTests(ITestOutputHelper output, DistributedNodeTests.Nodes nodes) : NodeTests(output, nodes, ", IDistributedCache"), IClassFixture<DistributedNodeTests.Nodes>
{
    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Store = StoreKind.Distributed };
    }
}
