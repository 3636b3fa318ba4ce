using Affinity.TestKit;
using Xunit;

namespace Affinity.FaultTests.Kit;

/// <summary>A farm for the faults of one class, which strike it one after another.</summary>
public abstract class FaultFarm : IAsyncLifetime
{
    /// <summary>What costs processors waits for its turn, or the nodes that are under load already would starve.</summary>
    private static readonly SemaphoreSlim Starting = new(2);

    private ProbeFarm? _farm;

    /// <summary>For how long a node answers from memory: by so much the rows wait before they look for sessions that were ended.</summary>
    public static TimeSpan MaxAge { get; } = TimeSpan.FromSeconds(2);

    internal ProbeFarm Farm => _farm!;

    /// <summary>For rows in which no request may fail: a machine on which everything waits for a processor is not a store that is away.</summary>
    /// <remarks>Nor is one that leaves the client's own question, after a lost connection, unanswered for so long: the client sends nothing to a server that has.</remarks>
    private protected static FarmStart Patient => new() { Settings = [("Affinity:Sessions:StoreTimeout", "00:00:05"), ("Affinity:Redis:ConnectTimeout", "00:00:05")] };

    private protected virtual FarmStart Start => new();

    private Needs Needs => Start is { HasDatabase: true } ? Needs.Postgres | Needs.Redis : Needs.Redis;

    /// <inheritdoc/>
    public virtual async Task InitializeAsync()
    {
        if (Requirements.SkipReason(Needs) is null)
        {
            _farm = await StartAsync(Start);
        }
    }

    /// <inheritdoc/>
    public virtual async Task DisposeAsync()
    {
        if (_farm is not null)
        {
            await _farm.DisposeAsync();
        }
    }

    internal static async Task<ProbeFarm> StartAsync(FarmStart start)
    {
        await Starting.WaitAsync();
        try
        {
            return await ProbeFarm.StartAsync(start with { Settings = [("Affinity:Sessions:NearCache:MaxAge", MaxAge.ToString()), .. start.Settings] });
        }
        finally
        {
            Starting.Release();
        }
    }
}
