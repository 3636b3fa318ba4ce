using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Sessions in an <c>IDistributedCache</c>, by the commands that Microsoft's sends to Redis: a node dies, and the server behind the cache.</summary>
public sealed class DistributedCacheTests(ITestOutputHelper output, DistributedCacheTests.Nodes nodes) : FaultRows(output), IClassFixture<DistributedCacheTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public Task A_node_is_killed_and_comes_again() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "IDistributedCache: node SIGKILL",
        Sticky = true,
        Strike = async () =>
        {
            nodes.Farm.Nodes[1].Kill();
            await nodes.Farm.Nodes[1].RestartAsync();
        },
    });

    [ServerFact(Needs.Redis)]
    public Task The_server_behind_the_cache_is_killed_and_comes_again_with_its_file() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "IDistributedCache: kill -9 of its server and restart after 1 s, AOF",
        Sticky = true,
        Bound = TimeSpan.FromSeconds(15),
        Patience = TimeSpan.FromSeconds(15),
        Strike = () => DieForASecondAsync(nodes.Farm.Redis),
    });

    public sealed class Nodes : FaultFarm, IDisposable
    {
        private readonly TempDirectory _keys = new();

        private protected override FarmStart Start => new()
        {
            Redis = new RedisServerOptions { AppendOnly = true },
            Settings = [("Affinity:Store", "Distributed"), ("Probe:Cache", "redis"), ("Affinity:KeyDirectory", _keys.Path)],
        };

        /// <summary>After the farm has ended.</summary>
        public void Dispose() => _keys.Dispose();
    }
}
