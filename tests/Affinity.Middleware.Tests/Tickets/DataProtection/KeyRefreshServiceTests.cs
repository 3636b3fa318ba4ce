using Affinity.TestKit;
using Affinity.Tickets;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class KeyRefreshServiceTests : IDisposable
{
    private const string RingName = KeyRefreshService.DataProtectionRing;

    private readonly FakeKeyVault _vault = new();
    private readonly ManualTime _time = new();
    private readonly LogLines _log = new();
    private readonly LoggerFactory _loggers = new();
    private readonly VaultRing _ring;
    private readonly VaultRing _other;

    public KeyRefreshServiceTests()
    {
        _loggers.AddProvider(_log);
        _ring = new VaultRing(_vault, RingName, _time, _log);
        _other = new VaultRing(_vault, "Other", _time, _log);
    }

    public void Dispose()
    {
        _ring.Dispose();
        _other.Dispose();
        _loggers.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Every_ring_is_read_before_the_start_goes_on()
    {
        _vault.Put(RingName, "a");
        _vault.Put("Other", "b");
        using var service = Service(otherNodesLive: () => false);
        await service.StartingAsync(default);

        Assert.Equal(["a"], _ring.Elements);
        Assert.Equal(["b"], _other.Elements);
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task A_vault_that_does_not_answer_holds_the_start_up_for_a_second_and_is_asked_every_second_from_then_on()
    {
        _vault.BeforeRead = token => Task.Delay(Timeout.Infinite, token);
        using var service = Service(otherNodesLive: () => true);
        var starting = service.StartingAsync(default);
        _time.Advance(VaultRing.Limit);
        await starting;

        _vault.BeforeRead = _ => Task.CompletedTask;
        _time.Advance(KeyRefreshService.FirstReadInterval);
        await Eventually(() => _ring.HasBeenRead && _other.HasBeenRead);
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task An_empty_ring_among_other_nodes_is_waited_for_until_one_puts_its_keys_back()
    {
        using var service = Service(otherNodesLive: () => true);
        var starting = service.StartingAsync(default);
        await _time.WaitForArmedTimersAsync(1);
        Assert.False(starting.IsCompleted);
        _vault.Put(RingName, "key of a live node");
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await starting;

        Assert.Equal(["key of a live node"], _ring.Elements);
        Assert.Equal(0, _log.Count("NoKeysOfPeers"));
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task The_wait_for_other_nodes_is_bounded_and_its_end_is_told()
    {
        using var service = Service(otherNodesLive: () => true);
        var starting = service.StartingAsync(default);
        while (!starting.IsCompleted)
        {
            await _time.WaitForArmedTimersAsync(1);
            _time.Advance(TimeSpan.FromMilliseconds(250));
        }

        await starting;
        Assert.Equal(1, _log.Count("NoKeysOfPeers"));
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task The_wait_ends_with_the_last_other_node()
    {
        var others = true;
        using var service = Service(otherNodesLive: () => others);
        var starting = service.StartingAsync(default);
        await _time.WaitForArmedTimersAsync(1);
        others = false;
        _time.Advance(TimeSpan.FromMilliseconds(250));

        await starting;
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task A_node_that_is_alone_does_not_wait()
    {
        using var service = Service(otherNodesLive: () => false);
        await service.StartingAsync(default);
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task What_the_vault_loses_is_back_after_the_next_refresh()
    {
        _vault.Put(RingName, "a");
        using var service = Service(otherNodesLive: () => false);
        await service.StartingAsync(default);
        _vault.Lose(RingName);
        _time.Advance(KeyRefreshService.Interval);

        await Eventually(() => _vault.Held(RingName).Count == 1);
        await service.StoppedAsync(default);
    }

    [Fact]
    public async Task An_unexpected_fault_does_not_end_the_refreshing()
    {
        using var service = Service(otherNodesLive: () => false);
        await service.StartingAsync(default);
        _vault.BeforeRead = _ => throw new InvalidOperationException("A fault of the backend.");
        _time.Advance(KeyRefreshService.Interval);
        await Eventually(() => _log.Count("KeyRefreshFailed") == 1);
        _vault.BeforeRead = _ => Task.CompletedTask;
        _vault.Put(RingName, "a");
        await _time.WaitForArmedTimersAsync(1);
        _time.Advance(KeyRefreshService.Interval);

        await Eventually(() => _ring.Elements.Count == 1);
        await service.StoppedAsync(default);
    }

    private KeyRefreshService Service(Func<bool> otherNodesLive) =>
        new([_ring, _other], otherNodesLive, keyRings: null, _time, _loggers.CreateLogger<KeyRefreshService>());

    /// <summary>For work on other threads that a timer has set off; the deadline is only met by a fault.</summary>
    private static async Task Eventually(Func<bool> condition)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        while (!condition())
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
