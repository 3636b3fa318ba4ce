using Affinity.ServerTests.Backends;
using Affinity.TestKit;
using StackExchange.Redis;
using Xunit;

namespace Affinity.ServerTests.Farm;

/// <summary>A node without memory, 0, beside one with it, 1, for all tests that write into their Redis as somebody else would. Started by the first of them.</summary>
public sealed class ForeignRecords : IAsyncLifetime
{
    private ProbeFarm? _farm;
    private BackendHarness? _backend;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await (_backend?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (_farm?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    internal async Task<(ProbeFarm Farm, IDatabase Database)> StartAsync()
    {
        _farm ??= await ProbeFarm.StartAsync(new FarmStart { NodeSettings = node => node == 0 ? [("Affinity:Sessions:NearCache:Enabled", "false")] : [] });
        _backend ??= new BackendHarness(_farm.Redis.ConnectionString);
        return (_farm, await _backend.Connection.GetDatabaseAsync(CancellationToken.None));
    }
}

[CollectionDefinition("Foreign records")]
public sealed class ForeignRecordsGroup : ICollectionFixture<ForeignRecords>;
