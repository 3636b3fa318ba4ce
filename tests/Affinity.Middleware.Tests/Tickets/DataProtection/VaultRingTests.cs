using Affinity.TestKit;
using Affinity.Tickets;
using Xunit;

namespace Affinity.Tests.Tickets;

public sealed class VaultRingTests : IDisposable
{
    private readonly FakeKeyVault _vault = new();
    private readonly ManualTime _time = new();
    private readonly LogLines _log = new();

    [Fact]
    public async Task A_ring_knows_what_was_read_in_order_of_first_sight()
    {
        _vault.Put("r", "b", "a");
        using var ring = Ring();
        Assert.False(ring.HasBeenRead);
        Assert.True(await ring.RefreshAsync(default));
        _vault.Put("r", "c");
        Assert.True(await ring.RefreshAsync(default));

        Assert.Equal(["b", "a", "c"], ring.Elements);
        Assert.True(ring.HasBeenRead);
    }

    [Fact]
    public async Task The_snapshot_stays_the_same_instance_while_nothing_is_new()
    {
        _vault.Put("r", "a");
        using var ring = Ring();
        await ring.RefreshAsync(default);
        var elements = ring.Elements;
        await ring.RefreshAsync(default);

        Assert.Same(elements, ring.Elements);
    }

    [Fact]
    public async Task What_the_vault_has_lost_comes_back_in_order_and_is_logged()
    {
        _vault.Put("r", "a", "b");
        using var ring = Ring();
        await ring.RefreshAsync(default);
        _vault.Lose("r");
        _vault.Put("r", "c");
        await ring.RefreshAsync(default);

        Assert.Equal(["c", "a", "b"], _vault.Held("r"));
        Assert.Equal(1, _log.Count("KeysPutBack"));
    }

    [Fact]
    public async Task Many_nodes_that_put_back_at_once_write_each_element_once()
    {
        _vault.Put("r", "a", "b", "c");
        var rings = Enumerable.Range(0, 7).Select(_ => Ring()).ToArray();
        foreach (var ring in rings)
        {
            await ring.RefreshAsync(default);
        }

        _vault.Lose("r");
        var readers = 0;
        var allHaveRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _vault.BeforeAppend = _ => Interlocked.Increment(ref readers) == rings.Length ? Released(allHaveRead) : allHaveRead.Task;
        await Task.WhenAll(rings.Select(ring => ring.RefreshAsync(default).AsTask()));

        Assert.Equal(["a", "b", "c"], _vault.Held("r").Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public async Task Nodes_that_add_a_first_element_at_once_agree_on_one()
    {
        var rings = Enumerable.Range(0, 6).Select(_ => Ring()).ToArray();
        var readers = 0;
        var allHaveRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _vault.BeforeAppend = _ => Interlocked.Increment(ref readers) == rings.Length ? Released(allHaveRead) : allHaveRead.Task;

        var added = await Task.WhenAll(rings.Select((ring, i) => ring.AddAsync($"key {i}", held => held.Count == 0, default).AsTask()));

        Assert.Single(added, true);
        Assert.Single(_vault.Held("r"));
        Assert.All(rings, ring => Assert.Equal(_vault.Held("r"), ring.Elements, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Elements_that_are_always_wanted_all_go_in()
    {
        var rings = Enumerable.Range(0, 6).Select(_ => Ring()).ToArray();

        var added = await Task.WhenAll(rings.Select((ring, i) => ring.AddAsync($"key {i}", _ => true, default).AsTask()));

        Assert.DoesNotContain(false, added);
        Assert.Equal(6, _vault.Held("r").Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(6, _vault.Held("r").Count);
    }

    [Fact]
    public async Task An_addition_puts_back_what_was_lost_before_it_asks_whether_it_is_wanted()
    {
        _vault.Put("r", "old");
        using var ring = Ring();
        await ring.RefreshAsync(default);
        _vault.Lose("r");

        Assert.False(await ring.AddAsync("new", held => held.Count == 0, default));
        Assert.Equal(["old"], _vault.Held("r"));
    }

    [Fact]
    public async Task An_append_whose_answer_was_lost_is_recognised_by_the_next_try()
    {
        using var ring = Ring();
        _vault.AfterAppend = _ => throw new KeyVaultException("The answer was lost.");
        await Assert.ThrowsAsync<KeyVaultException>(() => ring.AddAsync("key", _ => true, default).AsTask());
        _vault.AfterAppend = _ => Task.CompletedTask;

        Assert.True(await ring.AddAsync("key", _ => true, default));
        Assert.Equal(["key"], _vault.Held("r"));
    }

    [Fact]
    public async Task A_vault_that_is_away_is_told_once_and_once_more_when_it_is_back()
    {
        _vault.Put("r", "secret-element");
        using var ring = Ring();
        await ring.RefreshAsync(default);
        _vault.Away = true;
        Assert.False(await ring.RefreshAsync(default));
        Assert.False(await ring.RefreshAsync(default));
        Assert.True(ring.IsAway);
        Assert.Equal(["secret-element"], ring.Elements);
        _vault.Away = false;
        Assert.True(await ring.RefreshAsync(default));

        Assert.Equal(1, _log.Count("KeyVaultAway"));
        Assert.Equal(1, _log.Count("KeyVaultBack"));
        Assert.DoesNotContain(_log.Texts, text => text.Contains("secret-element", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_vault_that_does_not_answer_costs_a_second_and_not_more_for_those_who_queue()
    {
        using var ring = Ring();
        _vault.BeforeRead = token => Task.Delay(Timeout.Infinite, token);
        var first = ring.RefreshAsync(default).AsTask();
        var second = ring.RefreshAsync(default).AsTask();
        _time.Advance(VaultRing.Limit);

        Assert.False(await first);
        Assert.False(await second);
        Assert.Equal(1, _vault.Reads);
    }

    [Fact]
    public async Task Fifty_callers_share_two_reads_and_each_has_an_answer_that_began_after_its_call()
    {
        using var ring = Ring();
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _vault.BeforeRead = _ => open.Task;
        var calls = Enumerable.Range(0, 50).Select(_ => ring.RefreshAsync(default).AsTask()).ToArray();
        open.SetResult();

        Assert.DoesNotContain(false, await Task.WhenAll(calls));
        Assert.Equal(2, _vault.Reads);
    }

    [Fact]
    public async Task Refresh_if_older_reads_no_more_often_than_its_age()
    {
        using var ring = Ring();
        var second = TimeSpan.FromSeconds(1);
        Assert.True(await ring.RefreshIfOlderThanAsync(second, default));
        _time.Advance(second - TimeSpan.FromMilliseconds(1));
        Assert.True(await ring.RefreshIfOlderThanAsync(second, default));
        Assert.Equal(1, _vault.Reads);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await ring.RefreshIfOlderThanAsync(second, default));
        Assert.Equal(2, _vault.Reads);
    }

    [Fact]
    public async Task Catching_up_waits_for_its_turn_and_all_who_wait_share_it()
    {
        using var ring = Ring();
        await ring.RefreshAsync(default);
        var calls = Enumerable.Range(0, 20).Select(_ => ring.CatchUpAsync(TimeSpan.FromSeconds(1), default).AsTask()).ToArray();
        await _time.WaitForArmedTimersAsync(20);
        _vault.Put("r", "new");
        Assert.Equal(1, _vault.Reads);
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.DoesNotContain(false, await Task.WhenAll(calls));
        Assert.Equal(2, _vault.Reads);
        Assert.Equal(["new"], ring.Elements);
    }

    [Fact]
    public async Task Catching_up_does_not_wait_for_a_vault_that_is_away()
    {
        using var ring = Ring();
        _vault.Away = true;
        await ring.RefreshAsync(default);

        Assert.False(await ring.CatchUpAsync(TimeSpan.FromSeconds(1), default));
        Assert.Equal(1, _vault.Reads);
    }

    [Fact]
    public async Task A_caller_that_leaves_does_not_take_the_read_from_the_others()
    {
        using var ring = Ring();
        using var leaving = new CancellationTokenSource();
        _vault.BeforeRead = token => Task.Delay(Timeout.Infinite, token);
        var first = ring.RefreshAsync(leaving.Token).AsTask();
        var second = ring.RefreshAsync(default).AsTask();
        _vault.BeforeRead = _ => Task.CompletedTask;
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.True(await second);
    }

    public void Dispose() => _log.Dispose();

    private VaultRing Ring() => new(_vault, "r", _time, _log);

    private static Task Released(TaskCompletionSource gate)
    {
        gate.SetResult();
        return Task.CompletedTask;
    }
}
