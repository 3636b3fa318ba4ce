using System.Diagnostics;
using Affinity.Sessions;
using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.ServerTests.Backends;

/// <summary>A master that is killed and comes back with its append-only file.</summary>
public sealed class RedisClusterRestartTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task While_a_master_is_dead_the_other_shards_go_on_and_after_its_restart_nothing_answered_is_lost()
    {
        await using var cluster = await RedisCluster.StartAsync(appendOnly: true);
        await using var nodes = new ClusterListeners(cluster);
        var dead = (await nodes.WaitUntilListeningAsync())[0];
        await using var load = new WriterLoad(nodes.First.Store, sessions: 60, TimeSpan.FromMilliseconds(5));
        await load.GoOnAsync();
        var (here, elsewhere) = await load.SplitAsync(cluster, nodes.First, dead);

        dead.Kill();
        var answers = here.Select(key => load.Sessions[key].Answers).ToArray();
        await load.GoOnAsync(elsewhere, writes: 100);
        Assert.All(elsewhere, key => Assert.Empty(load.Sessions[key].Failures));
        Assert.All(here, key => Assert.NotEmpty(load.Sessions[key].Failures));
        Assert.All(here.Zip(answers), pair => Assert.InRange(load.Sessions[pair.First].Answers - pair.Second, 0, 1)); // one may have been answered at the moment of the kill

        // The dead one had the subscriptions: they have moved to another server meanwhile.
        Assert.DoesNotContain(dead, await nodes.WaitUntilListeningAsync());
        var ended = SessionKey.Of(SessionId.Create());
        while (await cluster.OwnerOfAsync(nodes.First.NameOf(ended)) == dead)
        {
            ended = SessionKey.Of(SessionId.Create());
        }

        await nodes.First.Store.DeleteAsync(ended, BackendHarness.Hour, CancellationToken.None);
        await ClusterListeners.UntilAsync(() => nodes.Heard(ended).Length == ClusterListeners.Count);

        var restarted = Stopwatch.StartNew();
        await dead.RestartAsync();
        await load.GoOnAsync(here, writes: 1);
        output.WriteLine($"The shard was written again {restarted.ElapsedMilliseconds} ms after its master was started anew.");
        await load.EndAsync();
        load.Tell(output);
        Assert.All(load.Sessions.Values, session => Assert.Equal(0ul, session.Lost));
    }
}

/// <summary>A master that is killed and has a replica.</summary>
public sealed class RedisClusterFailoverTests(ITestOutputHelper output)
{
    [ServerFact(Needs.Redis)]
    public async Task When_a_replica_takes_over_the_writers_follow_it_and_no_other_shard_notices()
    {
        await using var cluster = await RedisCluster.StartAsync(replicas: 1);
        await using var node = new BackendHarness(cluster.ConnectionString);
        await using var load = new WriterLoad(node.Store, sessions: 60, TimeSpan.FromMilliseconds(5));
        await load.GoOnAsync();
        var (here, elsewhere) = await load.SplitAsync(cluster, node, cluster.Masters[0]);

        cluster.Masters[0].Kill();
        var killed = Stopwatch.StartNew();
        Assert.Equal(SessionReadKind.Found, (await node.ReadUntilHealedAsync(here[0])).Kind);
        output.WriteLine($"The shard was read again {killed.ElapsedMilliseconds} ms after its master was killed.");
        await load.GoOnAsync(here);
        output.WriteLine($"The shard was written again {killed.ElapsedMilliseconds} ms after its master was killed.");
        await load.GoOnAsync(elsewhere);

        Assert.Equal("master", (await cluster.Replicas[0].CommandAsync("ROLE")).Items![0].Text);
        Assert.All(here, key => Assert.NotEmpty(load.Sessions[key].Failures));
        Assert.All(elsewhere, key => Assert.Empty(load.Sessions[key].Failures));
        await load.EndAsync();
        load.Tell(output);
    }
}
