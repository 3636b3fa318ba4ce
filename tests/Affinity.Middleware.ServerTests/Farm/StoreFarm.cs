using Affinity.Backends;
using Affinity.TestKit;
using Xunit;

namespace Affinity.ServerTests.Farm;

/// <summary>Three nodes, a store of this kind, and a millisecond between them: for the tests of one class.</summary>
public abstract class StoreFarm(StoreKind store) : IAsyncLifetime
{
    /// <summary>What is promised while the store answers: a machine on which everything waits for a processor is not a store that is away.</summary>
    private static readonly (string Key, string Value)[] Patient = [("Affinity:Sessions:StoreTimeout", "00:00:05")];

    private ProbeFarm? _farm;

    internal ProbeFarm Farm => _farm!;

    internal StoreKind Store => store;

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        if (Requirements.SkipReason(Needs.Redis | Needs.Postgres) is null)
        {
            _farm = await ProbeFarm.StartAsync(new FarmStart { Store = store, Nodes = 3, RoundTrip = TimeSpan.FromMilliseconds(1), Settings = Patient });
        }
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
        }
    }
}
