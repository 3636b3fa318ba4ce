using Affinity.Backends;
using Affinity.FaultTests.Kit;
using Affinity.TestKit;
using Xunit;
using Xunit.Abstractions;

namespace Affinity.FaultTests.Rows;

/// <summary>Sessions in an <c>IDistributedCache</c>, by the commands that Microsoft's sends to Redis: the server behind the cache dies.</summary>
public sealed class DistributedCacheTests(ITestOutputHelper output, DistributedCacheTests.Nodes nodes) : FaultRows(output), IClassFixture<DistributedCacheTests.Nodes>
{
    [ServerFact(Needs.Redis)]
    public Task The_server_behind_the_cache_is_killed_and_comes_again_with_its_file() => PlayAsync(nodes.Farm, new Scene
    {
        Fault = "IDistributedCache: kill -9 of its server and restart after 1 s, AOF",
        Sticky = true,
        Bound = TimeSpan.FromSeconds(15),
        Patience = TimeSpan.FromSeconds(15),
        Strike = () => DieForASecondAsync(nodes.Farm.Redis),
    });

    public sealed class Nodes : FaultFarm
    {
        private protected override FarmStart Start => new() { Store = StoreKind.Distributed, Redis = new RedisServerOptions { AppendOnly = true } };
    }
}
