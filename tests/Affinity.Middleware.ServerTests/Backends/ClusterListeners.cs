using System.Collections.Concurrent;
using System.Globalization;
using Affinity.Backends.Redis;
using Affinity.Sessions;
using Affinity.TestKit;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Affinity.ServerTests.Backends;

/// <summary>A few nodes that hear of endings from a cluster, each over a connection of its own.</summary>
internal sealed class ClusterListeners : IAsyncDisposable
{
    public const int Count = 4;

    private readonly RedisCluster _cluster;
    private readonly BackendHarness[] _nodes;
    private readonly RedisSessionAnnouncements[] _announcements;
    private readonly ConcurrentQueue<(int Listener, SessionKey Key, int Generation)> _heard = new();

    public ClusterListeners(RedisCluster cluster)
    {
        _cluster = cluster;
        var prefix = $"t{Guid.NewGuid():N}:";
        _nodes = [.. Enumerable.Range(0, Count).Select(_ => new BackendHarness(cluster.ConnectionString, prefix))];
        _announcements = [.. _nodes.Select(node => new RedisSessionAnnouncements(node.Connection, node.Options, TimeProvider.System, NullLogger<RedisSessionAnnouncements>.Instance))];
        for (var i = 0; i < Count; i++)
        {
            var listener = i;
            _announcements[i].Listen((key, generation) => _heard.Enqueue((listener, key, generation)));
        }
    }

    /// <summary>One that writes and ends sessions, too.</summary>
    public BackendHarness First => _nodes[0];

    /// <summary>Who has heard what of a session.</summary>
    public (int Listener, int Generation)[] Heard(SessionKey key) =>
        [.. _heard.Where(told => told.Key == key).Select(told => (told.Listener, told.Generation)).Order()];

    /// <summary>Waits until every node is subscribed somewhere, and answers at which servers.</summary>
    public async Task<RedisServer[]> WaitUntilListeningAsync()
    {
        var hosts = new List<RedisServer>();
        await UntilAsync(async () =>
        {
            hosts.Clear();
            foreach (var server in _cluster.Masters.Concat(_cluster.Replicas).Where(server => !server.Process.HasExited))
            {
                var answer = await server.CommandAsync("PUBSUB", "NUMSUB", RedisSessionStore.ChannelOf(First.Options));
                hosts.AddRange(Enumerable.Repeat(server, int.Parse(answer.Items![1].Text!, CultureInfo.InvariantCulture)));
            }

            return hosts.Count == Count;
        });
        return [.. hosts];
    }

    public static Task UntilAsync(Func<bool> condition) => UntilAsync(() => Task.FromResult(condition()));

    public async ValueTask DisposeAsync()
    {
        Array.ForEach(_announcements, announcements => announcements.Dispose());
        foreach (var node in _nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; !await condition(); i++)
        {
            Assert.True(i < 500, "It did not come about within 10 s.");
            await Task.Delay(20);
        }
    }
}
